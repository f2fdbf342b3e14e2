/**
 * A model's graph in which every receiver's input is the sum over senders of their online or replaced output, for many
 * choices of edges at once.
 *
 * Only parts that are *online* are computed. All others have the values of the model's own run, which are fed: those before
 * the first edge that is cut, and those that no longer reach the logits. Rows are candidates (choices of edges) times
 * prompts.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import type { Engine } from "../model/engine.js";
import type { CircuitGraph, ReceiverGroup } from "./circuit-graph.js";
import { receiverPoint, type SenderBlock, sentBy } from "./residual-parts.js";

/** What is computed in a run, and what is fed. */
export interface OnlineParts {
  /** The parts that are computed, in the order of computation. */
  readonly online: readonly SenderBlock[];
  /** All other parts. */
  readonly constant: readonly SenderBlock[];
  /** The groups of receivers of online parts, and the logits. */
  readonly groups: readonly ReceiverGroup[];
  /** The point of the residual stream that the first of them reads. */
  readonly start: string;
  /** The constant parts that write between there and the logits. */
  readonly between: readonly SenderBlock[];
}

/** Names of what is fed. */
export const fed = {
  row: "circuit.row",
  candidate: "circuit.candidate",
  residual: "circuit.residual",
  difference: "circuit.difference",
  written: (part: SenderBlock): string => `circuit.written.${part.name}`,
  replacement: (part: SenderBlock): string => `circuit.replacement.${part.name}`,
  constantMask: (group: ReceiverGroup): string => `circuit.mask.${group.name}.constant`,
  onlineMask: (group: ReceiverGroup): string => `circuit.mask.${group.name}.online`,
} as const;

/** Senders of these parts that may send to a group. */
export const sendersTo = (group: ReceiverGroup, parts: readonly SenderBlock[]): SenderBlock[] =>
  parts.filter(({ first }) => first < group.senders);

const countOf = (parts: readonly SenderBlock[]): number => parts.reduce((sum, { count }) => sum + count, 0);

/** The parts that must be computed when those with the given names are online. */
export function onlineParts(
  graph: CircuitGraph,
  blocks: readonly SenderBlock[],
  names: ReadonlySet<string>,
  { config }: Engine,
): OnlineParts {
  const online = blocks.filter(({ name }) => names.has(name));
  const constant = blocks.filter(({ name }) => !names.has(name));
  const first = online[0];
  const partOf = ({ kind, layer }: ReceiverGroup): string => (kind === "mlp" ? `m${layer}` : `a${layer}`);
  const groups = graph.groups.filter((group) => group.kind === "logits" || names.has(partOf(group)));
  const start = first
    ? first.kind === "attention" || config.parallel
      ? `blocks.${first.layer}.hook_resid_pre`
      : `blocks.${first.layer}.hook_resid_mid`
    : `blocks.${config.nLayers - 1}.hook_resid_post`;
  // In a parallel block that begins with its MLP, the heads write after the start.
  const from = first ? (config.parallel ? first.layer : first.first) : Number.POSITIVE_INFINITY;
  const between = constant.filter((part) => (config.parallel && first ? part.layer : part.first) >= from);
  return { online, constant, groups, start, between };
}

/** The graph of a run; its outputs are the model's, the logits among them. */
export function patchedGraph(engine: Engine, whole: g.Graph, parts: OnlineParts): g.Graph {
  const { dModel, nLayers } = engine.config;
  const row = g.input(fed.row, "int64", ["batch"]);
  const candidate = g.input(fed.candidate, "int64", ["batch"]);
  const flat = productDim(["prompts", "pos", dModel]);
  const difference = g.input(fed.difference, "float32", [countOf(parts.constant), flat]);
  const ofRows = (name: string): Value => g.gather(g.input(name, "float32", ["prompts", "pos", dModel]), row);
  const between = new Map(parts.between.map((part) => [part.output, part]));
  const groups = new Map(parts.groups.map((group) => [receiverPoint(group, nLayers), group]));
  const seen = new Map<string, Value>();
  const point = (name: string): Value => seen.get(name)!;
  const stacks = new Map<number, Value>();
  /** What replaces the outputs of the first online parts less what they are, `[batch, sender, pos·dModel]`. */
  const stack = (count: number): Value => {
    const known = stacks.get(count);
    if (known) return known;
    const part = parts.online[count - 1]!;
    const replacement = g.input(fed.replacement(part), "float32", ["prompts", part.count, "pos", dModel]);
    const sent = g.transpose(sentBy(part, engine, point), [0, 2, 1, 3]);
    const difference = g.sub(g.gather(replacement, row), sent);
    const flat = g.reshape(difference, ["batch", part.count, productDim(["pos", dModel])]);
    const made = count === 1 ? flat : g.concat([stack(count - 1), flat], 1);
    stacks.set(count, made);
    return made;
  };
  const change = (group: ReceiverGroup): Value | undefined => {
    const changes: Value[] = [];
    const receivers = group.receivers.length;
    const constant = countOf(sendersTo(group, parts.constant));
    if (constant > 0) {
      const mask = g.input(fed.constantMask(group), "float32", ["candidates", receivers, constant]);
      const product = g.matmul(mask, g.slice(difference, 0, 0, constant));
      const apart = g.reshape(product, ["candidates", receivers, "prompts", "pos", dModel]);
      const ordered = g.transpose(apart, [0, 2, 3, 1, 4]);
      const rows = productDim(["candidates", "prompts"]); // which is what a batch is
      const joined = g.reshape(ordered, [rows, "pos", receivers, dModel]);
      changes.push(g.assume(joined, ["batch", "pos", receivers, dModel]));
    }
    const online = sendersTo(group, parts.online);
    if (online.length > 0) {
      const mask = g.input(fed.onlineMask(group), "float32", ["candidates", receivers, countOf(online)]);
      const product = g.matmul(g.gather(mask, candidate), stack(online.length));
      const apart = g.reshape(product, ["batch", receivers, "pos", dModel]);
      changes.push(g.transpose(apart, [0, 2, 1, 3]));
    }
    return changes.length === 0 ? undefined : changes.reduce((a, b) => g.add(a, b));
  };
  const outputs = g.rebuild(whole.outputs, (original, rebuilt) => {
    if (original.op !== "point") return rebuilt;
    const name = original.attributes.name as string;
    const axes = original.attributes.axes as readonly string[];
    let value = rebuilt.inputs[0]!;
    if (name === parts.start) value = ofRows(fed.residual);
    const constant = between.get(name);
    if (constant) value = ofRows(fed.written(constant));
    const group = groups.get(name);
    const changed = group && change(group);
    if (changed)
      value = g.add(
        value,
        group.kind === "mlp" || group.kind === "logits" ? g.squeeze(changed, [2]) : changed,
      );
    const named = g.point(name, value, axes);
    seen.set(name, named);
    return named;
  });
  return { outputs };
}
