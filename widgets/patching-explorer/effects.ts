import type { ColourScale } from "../colour.js";
import { decodeTensor } from "../tensor.js";
import { shortNumber, showToken } from "../text.js";
import type { PatchingExplorerState, PatchingResult } from "./state.js";

/** What each cell of a sweep does to the metric, and how that is coloured. */
export interface Effects {
  /**
   * The part of the difference between the two runs that the cell makes up: 0 is the run that is changed, 1 the other. The
   * change of the metric itself where the runs do not differ.
   */
  readonly values: Float32Array;
  readonly metric: Float32Array;
  readonly isShare: boolean;
  readonly scale: ColourScale;
}

/** Smaller effects than this are not made to look large. */
const leastRange = 0.1;

/** Reads the effects of a result. */
export function effectsOf(result: PatchingResult): Effects {
  const metric = decodeTensor(result.metric).data as Float32Array;
  const { clean, corrupt } = result;
  const [from, to] = result.choices.direction === "denoising" ? [corrupt, clean] : [clean, corrupt];
  const isShare = from !== to;
  const values = metric.map((value) => (isShare ? (value - from) / (to - from) : value - from));
  let largest = isShare ? leastRange : Number.MIN_VALUE;
  for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return { values, metric, isShare, scale: { kind: "diverging", low: -largest, high: largest } };
}

/** The cell with the largest effect; `null` where none was measured. */
export function strongestCell(result: PatchingResult): number | null {
  let best: number | null = null;
  const { values } = effectsOf(result);
  values.forEach((value, cell) => {
    if (Number.isFinite(value) && (best === null || Math.abs(value) > Math.abs(values[best]!))) best = cell;
  });
  return best;
}

/** Rows and columns of the map: the last axis goes across, the others stand on the rows. */
export interface MapAxes {
  readonly rows: readonly string[];
  readonly cols: readonly string[];
  readonly rowTitle: string;
  readonly colTitle: string;
}

/** The map's rows and columns. */
export function axesOf({ choices: { over }, labels }: PatchingResult): MapAxes {
  const named = labels.map((names, axis) => names.map((name, i) => placeName(over[axis]!, name, i)));
  const titles = over.map(axisTitle);
  const cols = named.at(-1) ?? [];
  const before = named.slice(0, -1);
  const separator = String(over.slice(0, -1)) === "layer,head" ? "." : " · ";
  const rows = before.reduce<string[]>(
    (all, names) => all.flatMap((a) => names.map((b) => (a === "" ? b : `${a}${separator}${b}`))),
    [""],
  );
  return { rows, cols, rowTitle: titles.slice(0, -1).join(separator), colTitle: titles.at(-1) ?? "" };
}

/** A cell's place along each axis. */
export function placeOf({ labels }: PatchingResult, cell: number): number[] {
  let rest = cell;
  return labels
    .map(({ length }) => length)
    .reverse()
    .map((length) => {
      const place = rest % length;
      rest = Math.floor(rest / length);
      return place;
    })
    .reverse();
}

/** A cell in words: `layer 3, head 7`, `layer 2, position 4 “·store”`. */
export function describeCell(result: PatchingResult, cell: number): string {
  return placeOf(result, cell)
    .map((place, i) => {
      const axis = result.choices.over[i]!;
      const label = result.labels[i]![place]!;
      const noun = axis === "pos" ? "position" : axis;
      return isToken(axis) && label !== String(place)
        ? `${noun} ${place} “${showToken(label)}”`
        : `${noun} ${label}`;
    })
    .join(", ");
}

/** An effect in words, with the metric behind it. */
export function describeEffect({ values, metric, isShare }: Effects, cell: number): string {
  if (!Number.isFinite(values[cell]!)) return "not measured";
  const effect = isShare
    ? `${shortNumber(values[cell]!)} of the difference`
    : `change ${shortNumber(values[cell]!)}`;
  return `${effect}, metric ${shortNumber(metric[cell]!)}`;
}

/** An effect as it stands in a cell: two decimals. */
export function cellText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) < 0.005 ? "0" : value.toFixed(2).replace("-", "−");
}

/** One token and how probable it is in each of the three runs. */
export interface TokenRow {
  readonly token: string;
  readonly clean: number;
  readonly corrupt: number;
  readonly patched: number;
}

/** The next tokens of the selected cell, the likeliest first; `null` where they are not known (yet). */
export function nextTokensOf(
  { result, selected, cell }: PatchingExplorerState,
  count: number,
): TokenRow[] | null {
  if (!result || selected === null) return null;
  const own = cell?.result === result.id && cell.cell === selected ? cell.next : null;
  const next = result.next ?? own;
  if (!next) return null;
  const [clean, corrupt, patched] = [next.clean, next.corrupt, next.patched].map(
    (wire) => decodeTensor(wire).data,
  );
  const from = result.next ? selected * next.tokens.length : 0;
  return next.tokens
    .map((token, i) => ({ token, clean: clean![i]!, corrupt: corrupt![i]!, patched: patched![from + i]! }))
    .sort((a, b) => Math.max(b.clean, b.corrupt, b.patched) - Math.max(a.clean, a.corrupt, a.patched))
    .slice(0, count);
}

/** What the two runs measure, and which one is changed. */
export function summaryOf({ choices, clean, corrupt }: PatchingResult): string {
  const changed =
    choices.direction === "denoising"
      ? "the corrupt run with clean values"
      : "the clean run with corrupt values";
  return `${choices.at} patched, ${changed}; metric ${shortNumber(clean)} on the clean prompt, ${shortNumber(corrupt)} on the corrupt one`;
}

/** What the runs of the two prompts are called beside the patched one. */
export const patchedName = (direction: string): string =>
  direction === "denoising" ? "corrupt, patched" : "clean, patched";

const isToken = (axis: string): boolean => axis === "pos" || axis === "key";
const axisTitle = (axis: string): string => (axis === "pos" ? "position" : axis);
const placeName = (axis: string, label: string, i: number): string =>
  isToken(axis) && label !== String(i) ? `${i} ${showToken(label)}` : label;
