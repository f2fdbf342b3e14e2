/** A widget's state on the wire: JSON, with the binary leaves taken out and sent as buffers beside their paths. */
import type { Json } from "../protocol/message.js";

/** Where a buffer belongs in a state. */
export type Path = readonly (string | number)[];

/** A state whose binary leaves have been taken out. */
export interface SplitState {
  readonly state: Json;
  readonly paths: readonly Path[];
  readonly buffers: readonly Uint8Array[];
}

/**
 * Takes the binary leaves out of a state: entries of objects vanish, items of lists become null.
 *
 * @param reference what stands on the wire for a value that is itself a widget; undefined for all others
 */
export function splitBuffers(state: object, reference: (value: object) => string | undefined): SplitState {
  const paths: Path[] = [];
  const buffers: Uint8Array[] = [];
  const split = (value: unknown, path: Path): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const bytes = asBytes(value);
    if (bytes) {
      paths.push(path);
      buffers.push(bytes);
      return null;
    }
    const name = reference(value);
    if (name !== undefined) return name;
    if (Array.isArray(value)) return value.map((item, i) => split(item, [...path, i]));
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") return value;
    const kept: Json = {};
    for (const [key, item] of Object.entries(value)) {
      const part = split(item, [...path, key]);
      if (part !== null || item === null) kept[key] = part;
    }
    return kept;
  };
  return { state: split(state, []) as Json, paths, buffers };
}

/**
 * Puts buffers into their places in a state, which is changed.
 *
 * @throws Error where a path leads nowhere, or would leave plain data
 */
export function joinBuffers(state: Json, paths: unknown, buffers: readonly Uint8Array[]): Json {
  if (!Array.isArray(paths)) return state;
  paths.forEach((path: unknown, i) => {
    if (!Array.isArray(path) || path.length === 0)
      throw new Error(`the buffer path ${JSON.stringify(path)} is not a path`);
    let at: unknown = state;
    for (const key of path.slice(0, -1)) at = own(at, key);
    if (typeof at !== "object" || at === null || path.at(-1) === "__proto__") {
      throw new Error(`the buffer path ${JSON.stringify(path)} leads nowhere in the state`);
    }
    (at as Json)[String(path.at(-1))] = buffers[i];
  });
  return state;
}

function own(value: unknown, key: unknown): unknown {
  const found = typeof value === "object" && value !== null && Object.hasOwn(value, String(key));
  return found ? (value as Json)[String(key)] : undefined;
}

function asBytes(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}
