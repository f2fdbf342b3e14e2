/** Values as text that a person can read, however large they are. */
import { inspect } from "node:util";
import { type AnyTensor, describe, tensor } from "../../src/array/index.js";

/** Typed arrays and objects up to this length are shown as Node shows them. */
const MAX_ITEMS = 100;
/** How deep Node looks into objects, and so do we. */
const DEPTH = 2;
/** A text that is longer than this is cut: nobody reads on, and notebooks grow by it. */
const MAX_CHARS = 100_000;

/**
 * A value as text: tensors and long typed arrays by shape, type, range and their outer values, also inside other
 * objects; of an object with many keys the first ones; the rest as Node shows it.
 *
 * @example
 * ```ts
 * inspectValue({ logits: tensor([1, 2, 3, 4], [2, 2]) }); // "{ logits: float32 [2, 2]  min 1  mean 2.5  max 4 }"
 * ```
 */
export function inspectValue(value: unknown): string {
  const whole = describedWhole(value);
  const text = whole ?? inspect(readable(value, 0, new Set()), { depth: DEPTH });
  if (text.length <= MAX_CHARS) return text;
  return `${text.slice(0, MAX_CHARS)}\n… ${text.length - MAX_CHARS} more characters`;
}

/** Whether a value is an ndarray. */
export function isTensor(value: unknown): value is AnyTensor {
  if (typeof value !== "object" || value === null) return false;
  const { data, shape, stride, offset, dtype } = value as Partial<AnyTensor>;
  const arrays = ArrayBuffer.isView(data) && Array.isArray(shape) && Array.isArray(stride);
  return arrays && typeof offset === "number" && typeof dtype === "string";
}

type NumberArray = AnyTensor["data"];

/** A typed array of numbers that is too long to be read; bytes of a Buffer are no numbers. */
function isLongArray(value: unknown): value is NumberArray {
  const numbers = ArrayBuffer.isView(value) && !(value instanceof DataView) && !Buffer.isBuffer(value);
  return numbers && (value as unknown as NumberArray).length > MAX_ITEMS;
}

function describedWhole(value: unknown): string | undefined {
  if (isTensor(value)) return describe(value);
  if (!isLongArray(value)) return undefined;
  return describeArray(value);
}

function describeArray(array: NumberArray): string {
  const name = array.constructor.name;
  const numbers = Float64Array.from(array as ArrayLike<number | bigint>, Number);
  const [summary, ...rows] = describe(tensor(numbers, [numbers.length])).split("\n");
  return [summary!.replace(/^float64 \[\d+\]/, `${name}(${array.length})`), ...rows].join("\n");
}

/** Something that Node's inspection shows as the text. */
function shownAs(text: string): object {
  return { [inspect.custom]: () => text };
}

/** The value, or where it holds what Node shows at length, a copy that has it in short. */
function readable(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value !== "object" || value === null || above.has(value)) return value;
  const whole = depth > 0 ? describedWhole(value) : undefined;
  if (whole !== undefined) return shownAs(whole.split("\n")[0]!);
  if (depth > DEPTH) return value;
  above.add(value);
  try {
    const inner = (item: unknown): unknown => readable(item, depth + 1, above);
    if (Array.isArray(value)) return readableArray(value, inner);
    if (value instanceof Map && value.constructor === Map) return readableMap(value, inner);
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return readableObject(value, inner);
    return value;
  } finally {
    above.delete(value);
  }
}

function readableArray(array: readonly unknown[], inner: (item: unknown) => unknown): unknown {
  const head = array.slice(0, MAX_ITEMS).map(inner);
  return head.every((item, i) => item === array[i]) ? array : head.concat(array.slice(MAX_ITEMS));
}

function readableMap(map: ReadonlyMap<unknown, unknown>, inner: (item: unknown) => unknown): unknown {
  const entries = [...map].map(([key, item], i) => [key, i < MAX_ITEMS ? inner(item) : item] as const);
  return entries.every(([key, item]) => item === map.get(key)) ? map : new Map(entries);
}

/** Getters stay getters: to look at a value must not run its code. */
function readableObject(object: object, inner: (item: unknown) => unknown): unknown {
  const keys = Object.keys(object);
  const copy = Object.create(Object.getPrototypeOf(object)) as Record<string, unknown>;
  let changed = keys.length > MAX_ITEMS;
  for (const key of keys.slice(0, MAX_ITEMS)) {
    const property = Object.getOwnPropertyDescriptor(object, key)!;
    if ("value" in property) {
      const item = inner(property.value);
      changed ||= item !== property.value;
      property.value = item;
    }
    Object.defineProperty(copy, key, property);
  }
  if (!changed) return object;
  const more = keys.length - MAX_ITEMS;
  if (more > 0) copy["…"] = shownAs(`${more} more keys`);
  return copy;
}
