/** Model surgery: a model, with its edits, as an ordinary ONNX file. */

import { bytesOf, joinPath, type NumberArray, readRangeSync, writeFile } from "../array/index.js";
import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Engine } from "./engine.js";
import type { LoweredEdit } from "./lower-edits.js";

/** How a model is exported. */
export interface ExportOptions {
  /** The points that are outputs beside `logits`, by their full names. */
  readonly outputs: readonly string[];
  readonly edits: readonly LoweredEdit[];
}

/** ONNX models of 2 GiB and more cannot be one file. */
const LIMIT = 2 ** 31 - 2 ** 20;

/**
 * Writes a model as one ONNX file: input `tokens` (int64 `[batch, pos]`), outputs `logits` and the points asked for.
 * Edits become part of the graph.
 */
export async function writeOnnx(
  engine: Engine,
  path: string,
  { outputs, edits }: ExportOptions,
): Promise<void> {
  const graph = engine.requested({ points: outputs, logits: "all", edits, padded: false });
  refuseInputsOfEdits(graph);
  const fixed = { outputs: fixInputs(graph, constantsOf(edits)) };
  const bytes = [...g.leavesOf(fixed, "parameter").keys()].reduce(
    (sum, name) => sum + parameterBytes(engine, name).byteLength,
    0,
  );
  if (bytes > LIMIT)
    throw new Error(`The model's weights take ${bytes} bytes; an ONNX file holds less than 2 GiB.`);
  const model = g.exportOnnx(fixed, (name) => ({ kind: "inline", bytes: parameterBytes(engine, name) }));
  await writeFile(path, model);
}

/** What the edits are fed, where it does not depend on the input. */
function constantsOf(edits: readonly LoweredEdit[]): Record<string, Feed> {
  return Object.assign(
    {},
    ...edits.map(({ feeds }) => feeds({ batch: 1, start: 0, length: 1, promptLength: 1, growing: true })),
  );
}

/** The graph with its edits' inputs as constants, and positions counted from 0. */
function fixInputs(graph: g.Graph, constants: Readonly<Record<string, Feed>>): Record<string, Value> {
  return g.rebuild(graph.outputs, (original, rebuilt) => {
    if (original.op !== "input") return rebuilt;
    const { name } = original.attributes as { name: string };
    if (name === "tokens") return rebuilt;
    if (name === "positions") return countedPositions();
    const { data, dtype } = constants[name]!;
    return g.constant(Array.from(data as NumberArray), original.shape as number[], dtype);
  });
}

/** Throws if an edit is fed something whose size depends on the input. */
function refuseInputsOfEdits(graph: g.Graph): void {
  for (const [name, { shape }] of g.leavesOf(graph, "input")) {
    if (name === "tokens" || name === "positions" || shape.every((dim) => typeof dim === "number")) continue;
    throw new Error(
      "An edit at chosen positions, with a coefficient for each row, or with another run's values belongs to one input; a model can be exported with edits that act on every input alike.",
    );
  }
}

function countedPositions(): Value {
  const row = g.range(g.scalar(0, "int64"), g.dimension("pos"), "pos");
  return g.expand(g.unsqueeze(row, [0]), ["batch", "pos"]);
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
