import type { Curve } from "./layout.js";

/** How a line is drawn. */
export interface Stroke {
  readonly colour: string;
  readonly width: number;
  readonly alpha?: number;
  readonly dash?: readonly number[];
  /** Where the dashes begin: a growing number makes them march. */
  readonly dashOffset?: number;
}

/** Curves are drawn so many at a time: canvases are slow with very long paths, and with very many short ones. */
const together = 48;

/** Draws curves that look the same. */
export function drawCurves(context: CanvasRenderingContext2D, curves: Iterable<Curve>, stroke: Stroke): void {
  context.save();
  context.strokeStyle = stroke.colour;
  context.lineWidth = stroke.width;
  context.globalAlpha = stroke.alpha ?? 1;
  context.setLineDash([...(stroke.dash ?? [])]);
  context.lineDashOffset = stroke.dashOffset ?? 0;
  context.lineCap = stroke.dash ? "butt" : "round";
  let count = 0;
  context.beginPath();
  for (const [x0, y0, x1, y1, x2, y2, x3, y3] of curves) {
    context.moveTo(x0, y0);
    context.bezierCurveTo(x1, y1, x2, y2, x3, y3);
    if (++count % together === 0) {
      context.stroke();
      context.beginPath();
    }
  }
  context.stroke();
  context.restore();
}

/** A round or square mark with a sign in it. */
export function drawMark(
  context: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  sign: string,
  { colour, page, square = false, font }: { colour: string; page: string; square?: boolean; font: string },
): void {
  context.save();
  context.beginPath();
  if (square) context.roundRect(x - 7, y - 7, 14, 14, 3);
  else context.arc(x, y, 7.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.strokeStyle = page;
  context.lineWidth = 2;
  context.stroke();
  context.fill();
  context.fillStyle = page;
  context.font = `bold 11px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(sign, x, y + 0.5);
  context.restore();
}
