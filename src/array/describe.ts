import { type DType, dtypeOfData } from "./dtype.js";
import { type AnyTensor, contiguous, shapeText } from "./tensor.js";

function number(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}

function row(data: ArrayLike<number | bigint>, from: number, length: number): string {
  const at = (i: number): string => number(data[from + i]!);
  if (length <= 6) return `[${Array.from({ length }, (_, i) => at(i)).join(", ")}]`;
  return `[${[at(0), at(1), at(2)].join(", ")}, …, ${[at(length - 2), at(length - 1)].join(", ")}]`;
}

/**
 * A tensor in a few lines of text: shape, element type, smallest value, mean and largest value (of what is finite, with
 * a count of what is not), and the first and last rows cut short.
 *
 * @example
 * ```ts
 * describe(tensor([1, 2, 3, 4], [2, 2]));
 * // float32 [2, 2]  min 1  mean 2.5  max 4
 * // [1, 2]
 * // [3, 4]
 * ```
 */
export function describe(x: AnyTensor, dtype: DType = dtypeOfData(x.data)): string {
  const { data, shape } = contiguous(x);
  const head = `${dtype} ${shapeText(shape)}`;
  if (data.length === 0) return `${head}  empty`;
  let least = Infinity;
  let most = -Infinity;
  let total = 0;
  let finite = 0;
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) continue;
    finite++;
    total += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const notFinite = data.length - finite;
  const range =
    finite > 0 ? `  min ${number(least)}  mean ${number(total / finite)}  max ${number(most)}` : "";
  const summary = `${head}${range}${notFinite > 0 ? `  not finite: ${notFinite}` : ""}`;
  const length = shape.at(-1) ?? 1;
  const rows = data.length / length;
  const shown = rows <= 4 ? Array.from({ length: rows }, (_, i) => i) : [0, 1, -1, rows - 1];
  return [summary, ...shown.map((i) => (i < 0 ? "…" : row(data, i * length, length)))].join("\n");
}
