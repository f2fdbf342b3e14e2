/**
 * The graph of a model as circuits see it: which points senders and receivers are, and what a sender adds to the residual
 * stream.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Engine } from "../model/engine.js";
import type { CircuitGraph } from "./circuit-graph.js";

/** A part of the model that is computed as one: the input, the heads of a layer, or an MLP. */
export interface SenderBlock {
  /** Such as `a2` or `m2`; `input`, or `embed` and `pos`. */
  readonly name: string;
  /** The number of its first sender. */
  readonly first: number;
  /** How many senders it is. */
  readonly count: number;
  readonly layer: number;
  readonly kind: "input" | "attention" | "mlp";
  /** The point whose value it adds to the residual stream. */
  readonly output: string;
}

/** Throws where a model's residual stream is not the sum of what heads and MLPs write. */
export function refuseUnlessResidual({ config, layout }: Engine, splitInput: boolean): void {
  const { family, normPlacement } = config;
  const why = layout.stateSpace
    ? "has no attention heads"
    : layout.encoder
      ? "has two stacks"
      : layout.classifier
        ? "is a classifier"
        : normPlacement === "after"
          ? "normalises the residual stream itself after each part"
          : undefined;
  if (why)
    throw new Error(
      `Circuits are found in decoders whose parts add to one residual stream; "${family}" ${why}.`,
    );
  if (splitInput && (!layout.positions || layout.embedNorm))
    throw new Error(
      `The input of "${family}" cannot be split into embed and pos: it has no learned positions that are added to the embedding.`,
    );
}

/** The parts that send, in the order of computation. */
export function senderBlocks({ senders }: CircuitGraph, { config, layout }: Engine): SenderBlock[] {
  const blocks: SenderBlock[] = [];
  senders.forEach((sender, number) => {
    const head = /^a(\d+)\.h(\d+)$/.exec(sender);
    const mlp = /^m(\d+)$/.exec(sender);
    if (head) {
      if (head[2] !== "0") return;
      const layer = Number(head[1]);
      blocks.push({
        name: `a${layer}`,
        first: number,
        count: config.nHeads,
        layer,
        kind: "attention",
        output: `blocks.${layer}.hook_attn_out`,
      });
    } else if (mlp) {
      const layer = Number(mlp[1]);
      const output = `blocks.${layer}.hook_mlp_out`;
      blocks.push({ name: sender, first: number, count: 1, layer, kind: "mlp", output });
    } else {
      const whole = layout.embedNorm ? "hook_full_embed" : "hook_embed";
      const output = sender === "pos" ? "hook_pos_embed" : whole;
      blocks.push({ name: sender, first: number, count: 1, layer: -1, kind: "input", output });
    }
  });
  return blocks;
}

/** The point that receives for a group. */
export function receiverPoint(group: CircuitGraph["groups"][number], nLayers: number): string {
  switch (group.kind) {
    case "mlp":
      return `blocks.${group.layer}.hook_mlp_in`;
    case "logits":
      return `blocks.${nLayers - 1}.hook_resid_post`;
    default:
      return `blocks.${group.layer}.hook_${group.kind}_input`;
  }
}

/** The points that a graph must have apart to see what a part's senders send: results of heads, and the norm of their sum. */
export function sentPointsOf(engine: Engine, { kind, layer }: Pick<SenderBlock, "kind" | "layer">): string[] {
  if (kind !== "attention") return [];
  const norm = branchNorm(engine, layer);
  const at = `blocks.${layer}`;
  return [`${at}.attn.hook_result`, ...(norm ? [`${at}.${norm.name}.hook_scale`] : [])];
}

/** The same of all parts. */
export const sentPoints = (engine: Engine): string[] =>
  Array.from({ length: engine.config.nLayers }, (_, layer) =>
    sentPointsOf(engine, { kind: "attention", layer }),
  ).flat();

/** The points that a graph must have apart for every receiver to have an input of its own. */
export function receiverPoints(engine: Engine): string[] {
  const { nLayers } = engine.config;
  return Array.from({ length: nLayers }, (_, layer) => {
    const at = `blocks.${layer}`;
    return [
      ...["q", "k", "v"].map((kind) => `${at}.hook_${kind}_input`),
      ...(engine.sites.has(`${at}.hook_mlp_in`) ? [`${at}.hook_mlp_in`] : []),
    ];
  }).flat();
}

/** The norm that acts on the sum of the heads before it is added to the residual stream, where there is one. */
export function branchNorm(
  { config, layout }: Engine,
  layer: number,
): { name: string; weight: string } | undefined {
  const { ln1, ln1Post } = layout.block(layer);
  if (config.normPlacement === "branch") return ln1 && { name: "ln1", weight: ln1.weight };
  return ln1Post && { name: "ln1_post", weight: ln1Post.weight };
}

/** Whether a norm acts on the sum of a layer's heads. */
export const hasBranchNorm = (engine: Engine, layer: number): boolean =>
  branchNorm(engine, layer) !== undefined;

/**
 * What the senders of a part add to the residual stream, `[batch, pos, sender, dModel]`. Of heads behind a norm, each
 * one's share: the norm's scale is that of their sum.
 */
export function sentBy(block: SenderBlock, engine: Engine, point: (name: string) => Value): Value {
  if (block.kind !== "attention") return g.unsqueeze(point(block.output), [2]);
  const { config } = engine;
  const at = `blocks.${block.layer}`;
  const result = point(`${at}.attn.hook_result`);
  const norm = branchNorm(engine, block.layer);
  const scaled = (x: Value): Value =>
    config.residualScale === undefined ? x : g.mul(x, config.residualScale);
  if (!norm) return scaled(result);
  const centred = config.normalization === "RMS" ? result : g.sub(result, g.mean(result, [-1], true));
  const stored = engine.parameter(norm.weight);
  const weight = config.normOffset ? g.add(stored, config.normOffset) : stored;
  const scale = g.unsqueeze(point(`${at}.${norm.name}.hook_scale`), [2]);
  return scaled(g.mul(g.div(centred, scale), weight));
}
