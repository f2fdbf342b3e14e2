/** A model and a task made ready: what every method for circuits begins with. */

import type { Engine } from "../model/engine.js";
import type { Model } from "../model/index.js";
import type { LoweredEdit } from "../model/lower-edits.js";
import { type CircuitGraph, circuitGraph } from "./circuit-graph.js";
import { hasBranchNorm, refuseUnlessResidual, type SenderBlock, senderBlocks } from "./residual-parts.js";
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
 * @throws where circuits are not found in models of this family, prompts do not correspond, or corrupt ones are missing
 */
export async function circuitSetting(model: Model, options: CircuitTask): Promise<CircuitSetting> {
  const graph = graphOf(model, options);
  const task = await readTask(model, options);
  const engine = ungrouped(model.parts.engine);
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
