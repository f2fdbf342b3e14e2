import type { ProgressCurve } from "./state.js";

/** The size of a drawn curve in pixels. */
export const curveSize = { width: 320, height: 56 } as const;

const MARGIN = 2;

/** The `points` of an SVG polyline, and what the curve says in words; undefined where there is nothing to draw. */
export function curveOf({ name, points }: ProgressCurve): { line: string; label: string } | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 2) return undefined;
  const values = points.map(([, value]) => value);
  const least = Math.min(...values);
  const most = Math.max(...values);
  const place = (part: number, size: number): string => (MARGIN + part * (size - 2 * MARGIN)).toFixed(1);
  const line = points.map(([done, value]) => {
    const x = (done - first[0]) / (last[0] - first[0] || 1);
    const y = most > least ? (most - value) / (most - least) : 0.5;
    return `${place(x, curveSize.width)},${place(y, curveSize.height)}`;
  });
  const number = (value: number): string => String(Number(value.toPrecision(4)));
  return {
    line: line.join(" "),
    label: `${name} from ${number(first[1])} to ${number(last[1])}, between ${number(least)} and ${number(most)}`,
  };
}
