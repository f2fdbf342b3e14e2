/** A model and a task made ready: what every method for circuits begins with. */

import type { Engine } from "../model/engine.js";
import type { Edit, Model } from "../model/index.js";
import type { LoweredEdit } from "../model/lower-edits.js";
import { type CircuitGraph, circuitGraph } from "./circuit-graph.js";
import {
  branchNorm,
  hasBranchNorm,
  refuseUnlessResidual,
  type SenderBlock,
  senderBlocks,
} from "./residual-parts.js";
import { type CircuitTask, type ReadTask, readTask } from "./task.js";
import { ungrouped } from "./ungrouped.js";

/** A model as circuits see it, and the task that they are found for. */
export interface CircuitSetting {
  readonly model: Model;
  readonly task: ReadTask;
  /** The model's engine, with keys and values of its own for each head. */
  readonly engine: Engine;
  readonly edits: readonly LoweredEdit[];
  readonly graph: CircuitGraph;
  readonly blocks: readonly SenderBlock[];
  /** How many prompts there are. */
  readonly prompts: number;
  /** How many positions each of them has. */
  readonly pos: number;
}

/**
 * Reads a task for a model.
 *
 * @throws where circuits are not found in models of this family, edits change what senders have written, prompts do not
 * correspond, or corrupt ones are missing
 */
export async function circuitSetting(model: Model, options: CircuitTask): Promise<CircuitSetting> {
  const graph = graphOf(model, options);
  const task = await readTask(model, options);
  const engine = ungrouped(model.parts.engine);
  for (const edit of model.parts.edits ?? [])
    for (const { point } of engine.lower([edit])) refuseEditOfSum(engine, edit, point);
  const { tokens } = task.clean;
  return {
    model,
    task,
    engine,
    edits: engine.lower(model.parts.edits),
    graph,
    blocks: senderBlocks(graph, engine),
    prompts: tokens.length,
    pos: tokens[0]!.length,
  };
}

/** Throws where an edit acts between what senders write and receivers read, other than by adding the same to all. */
function refuseEditOfSum(engine: Engine, { kind }: Edit, point: string): void {
  const [, layer] = /^blocks\.(\d+)\./.exec(point) ?? [];
  const norm = layer && branchNorm(engine, Number(layer));
  const isSum = /\.hook_(attn_out|resid_(pre|mid|post))$/.test(point);
  const isRead = /\.hook_([qkv]_input|attn_in|mlp_in)$/.test(point);
  const isNorm = norm && point.startsWith(`blocks.${layer}.${norm.name}.`);
  if (isRead || isNorm || (isSum && kind !== "add"))
    throw new Error(
      `The model has an edit ("${kind}") at "${point}", between what heads and MLPs write and what others read, so what a cut edge carries is not defined. Edits inside of heads and MLPs, and those that add to the residual stream, are.`,
    );
}

/** The circuit graph of a model. @throws where circuits are not found in models of this family */
export function graphOf(model: Model, { splitInput = false }: Pick<CircuitTask, "splitInput">): CircuitGraph {
  const { engine } = model.parts;
  refuseUnlessResidual(engine, splitInput);
  const layers = Array.from({ length: model.config.nLayers }, (_, layer) => layer);
  return circuitGraph(
    model.config,
    splitInput,
    layers.some((layer) => hasBranchNorm(engine, layer)),
  );
}
