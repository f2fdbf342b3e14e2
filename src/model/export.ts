/** Model surgery: a model, with its edits, as an ordinary ONNX file. */

import {
  bytesOf,
  fileName,
  folderOf,
  joinPath,
  type NumberArray,
  readRangeSync,
  writeFile,
} from "../array/index.js";
import type { ParameterSource, Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Engine } from "./engine.js";
import type { LoweredEdit } from "./lower-edits.js";
import type { Window } from "./selection.js";

/** Where the weights of an exported model are put. */
export interface WeightOptions {
  /**
   * `"inline"` (the default) puts weights into the file itself, which then holds less than 2 GiB; `"external"` puts them
   * beside it, into a file of its name with `.data` behind it.
   */
  readonly weights?: "inline" | "external";
}

/** How a model is exported. */
export interface ExportOptions extends WeightOptions {
  /** The points that are outputs beside `logits`, by their full names. */
  readonly outputs: readonly string[];
  readonly edits: readonly LoweredEdit[];
}

/** ONNX models of 2 GiB and more cannot be one file. */
const LIMIT = 2 ** 31 - 2 ** 20;
/** Where each external weight begins: a multiple of this, so that it can be mapped. */
const ALIGNMENT = 4096;

/**
 * Writes a model as an ONNX file: input `tokens` (int64 `[batch, pos]`; `tokenTypes` too where the model has them), outputs `logits` and the points asked for.
 * Edits become part of the graph.
 */
export async function writeOnnx(
  engine: Engine,
  path: string,
  { outputs, edits, weights }: ExportOptions,
): Promise<void> {
  const graph = engine.requested({ points: outputs, logits: "all", edits, padded: false });
  const { positions } = Object.fromEntries(g.leavesOf(graph, "input"));
  const counted = positions ? { positions: countedPositions() } : {};
  const fixed = fixEdits(graph, edits, {
    tokens: undefined,
    tokenTypes: undefined,
    "source.tokens": undefined,
    "source.mask": undefined,
    ...counted,
  });
  await writeGraph(path, fixed, (name) => parameterBytes(engine, name), { weights });
}

/** The window of an edit that acts on every input alike. */
const anyInput: Window = { batch: 1, start: 0, length: 1, promptLength: 1, growing: true };

/**
 * A graph whose edits are fed nothing: what they were fed has become constants.
 *
 * @param inputs the model's own inputs, with what stands for them where that is not to be fed either
 * @throws if an edit is fed something whose size depends on the input
 */
export function fixEdits(
  graph: g.Graph,
  edits: readonly LoweredEdit[],
  inputs: Readonly<Record<string, Value | undefined>>,
): g.Graph {
  for (const [name, { shape }] of g.leavesOf(graph, "input")) {
    if (Object.hasOwn(inputs, name) || shape.every((dim) => typeof dim === "number")) continue;
    throw new Error(
      "An edit at chosen positions, with a coefficient for each row, or with another run's values belongs to one input; a model can be exported with edits that act on every input alike.",
    );
  }
  const constants: Record<string, Feed> = Object.assign({}, ...edits.map(({ feeds }) => feeds(anyInput)));
  const outputs = g.rebuild(graph.outputs, (original, rebuilt) => {
    if (original.op !== "input") return rebuilt;
    const { name } = original.attributes as { name: string };
    if (Object.hasOwn(inputs, name)) return inputs[name] ?? rebuilt;
    const { data, dtype } = constants[name]!;
    return g.constant(Array.from(data as NumberArray), original.shape as number[], dtype);
  });
  return { outputs };
}

function countedPositions(): Value {
  const row = g.range(g.scalar(0, "int64"), g.dimension("pos"), "pos");
  return g.expand(g.unsqueeze(row, [0]), ["batch", "pos"]);
}

/** Writes a graph as an ONNX file. Where that fails, no file of this name is left half-written. */
export async function writeGraph(
  path: string,
  graph: g.Graph,
  bytesOfParameter: (name: string) => Uint8Array,
  { weights = "inline", inputs }: WeightOptions & { readonly inputs?: readonly Value[] },
): Promise<void> {
  const parameters = [...g.leavesOf(graph, "parameter").keys()];
  if (weights === "inline") {
    const bytes = parameters.reduce((sum, name) => sum + bytesOfParameter(name).byteLength, 0);
    if (bytes > LIMIT)
      throw new Error(
        `The model's weights take ${bytes} bytes; an ONNX file holds less than 2 GiB. Export it with weights: "external".`,
      );
    const inline = (name: string): ParameterSource => ({ kind: "inline", bytes: bytesOfParameter(name) });
    await writeFile(path, g.exportOnnx(graph, inline, inputs));
    return;
  }
  if (weights !== "external")
    throw new Error(`Weights are put "inline" or "external", but ${JSON.stringify(weights)} was asked for.`);
  const location = `${fileName(path)}.data`;
  const places = new Map<string, { offset: number; byteLength: number }>();
  function* pieces(): Generator<Uint8Array> {
    let end = 0;
    for (const name of parameters) {
      const bytes = bytesOfParameter(name);
      if (bytes.byteLength <= g.SMALL_TENSOR) continue;
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      if (offset > end) yield new Uint8Array(offset - end);
      places.set(name, { offset, byteLength: bytes.byteLength });
      yield bytes;
      end = offset + bytes.byteLength;
    }
  }
  await writeFile(joinPath(folderOf(path), location), pieces());
  const source = (name: string): ParameterSource => {
    const place = places.get(name);
    return place ? { kind: "file", location, ...place } : { kind: "inline", bytes: bytesOfParameter(name) };
  };
  await writeFile(path, g.exportOnnx(graph, source, inputs));
}

function parameterBytes(engine: Engine, name: string): Uint8Array {
  const source = engine.parameters.source(name);
  if (source.kind === "inline") return source.bytes;
  if (source.kind === "file")
    return readRangeSync(
      joinPath(engine.parameters.folder!, source.location),
      source.offset,
      source.byteLength,
    );
  return bytesOf(engine.parameters.read(name).data);
}
