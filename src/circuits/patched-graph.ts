/**
 * A model's graph in which every receiver's input is the sum over senders of their online or replaced output.
 *
 * Where none of a group's edges is cut, its input is the residual stream as it is. Elsewhere it is what the model's own
 * run gives with cut senders replaced, which is fed, and how the senders that are computed differ from that run. Rows are
 * candidates (choices of edges) times prompts.
 */

import type { Dim, Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import { weave } from "../model/engine.js";
import { transformer } from "../model/transformer.js";
import type { CutGroup, Online, OnlinePart } from "./online.js";
import { type SenderBlock, sentBy, sentPointsOf } from "./residual-parts.js";
import type { CircuitSetting } from "./setting.js";
import { someHeads } from "./some-heads.js";
import { growingStacks } from "./stacks.js";
import { readsLastLogits } from "./task.js";

/** Names of what is fed. */
export const fed = {
  /** Which prompt each row is of. */
  row: "circuit.row",
  /** The residual stream at the start, `[prompts, pos, dModel]`. */
  residual: "circuit.residual",
  /** What a part that is not computed writes, `[prompts, pos, dModel]`. */
  written: (block: SenderBlock): string => `circuit.written.${block.name}`,
  /** What the heads write that are left out of a part, `[prompts, pos, dModel]`. */
  leftOut: ({ block }: OnlinePart): string => `circuit.leftOut.${block.name}`,
  /** What a part's senders write in the model's own run, `[sender, prompts, pos, dModel]`. */
  known: ({ block }: OnlinePart): string => `circuit.known.${block.name}`,
  /** Receivers' inputs in that run, with the senders replaced that all candidates cut, `[receiver, prompts, pos, dModel]`. */
  base: ({ name }: CutGroup): string => `circuit.base.${name}`,
  /** What replaces senders that some candidates cut, less what they are, `[sender, prompts, pos, dModel]`. */
  difference: ({ name }: CutGroup): string => `circuit.difference.${name}`,
  /** The cuts of those, `[candidate, receiver, sender]`. */
  cuts: ({ name }: CutGroup): string => `circuit.cuts.${name}`,
  /** The edges that are kept from senders of the i-th stack, `[candidate, receiver, sender]`. */
  kept: ({ name }: CutGroup, i: number): string => `circuit.kept.${name}.${i}`,
} as const;

/** The graph of a run. */
export interface PatchedGraph {
  readonly graph: g.Graph;
  /** For each group with cut edges, the senders of the stacks that it reads. */
  readonly stacks: ReadonlyMap<CutGroup, readonly (readonly number[])[]>;
}

/**
 * The graph of a run.
 *
 * @param single whether there is one candidate, so that nothing need be put in another order for it
 */
export function patchedGraph(setting: CircuitSetting, online: Online, single: boolean): PatchedGraph {
  const { engine } = setting;
  const { dModel } = engine.config;
  const flat = productDim(["prompts", "pos", dModel]);
  const candidates = single ? 1 : "candidates";
  const rows = productDim([candidates, "prompts"]); // which is what a batch is
  const row = g.input(fed.row, "int64", ["batch"]);
  const ofRows = (name: string): Value => {
    const value = g.input(name, "float32", ["prompts", "pos", dModel]);
    return single ? g.assume(value, ["batch", "pos", dModel]) : g.gather(value, row);
  };
  /** What several senders write, or receivers read, on all prompts: `[count, prompts·pos·dModel]`. */
  const written = (name: string, count: Dim): Value =>
    g.reshape(g.input(name, "float32", [count, "prompts", "pos", dModel]), [count, flat]);
  const between = new Map(online.between.map((block) => [block.output, block]));
  const partial = new Map(
    online.parts
      .filter(({ block, senders }) => senders.length < block.count)
      .map((part) => [part.block.output, part]),
  );
  const seen = new Map<string, Value>();

  /** What a part's senders write in this run less what they write in the model's own. */
  const changeOf = (part: OnlinePart): Value => {
    const count = part.senders.length;
    const sent = g.transpose(
      sentBy(part.block, engine, (name) => seen.get(name)!),
      [2, 0, 1, 3],
    );
    const apart = g.assume(sent, [count, rows, "pos", dModel]);
    const ordered = single
      ? g.reshape(apart, [count, flat])
      : g.transpose(g.reshape(apart, [count, candidates, flat]), [1, 0, 2]);
    return g.sub(ordered, written(fed.known(part), count));
  };
  const stacksBefore = growingStacks(online.parts, changeOf);
  const stacks = new Map<CutGroup, readonly (readonly number[])[]>();
  const ofCandidates = (...shape: Dim[]): Dim[] => (single ? shape : [candidates, ...shape]);
  /** Receivers' inputs, `[receiver, batch, pos, dModel]`. */
  const inputsOf = (group: CutGroup): Value => {
    const count = group.receivers.length;
    const base = written(fed.base(group), count);
    const before = stacksBefore(group.senders);
    stacks.set(
      group,
      before.map(({ senders }) => senders),
    );
    const changes = before.map(({ senders, value }, i): [Value, Value] => [
      g.input(fed.kept(group, i), "float32", ofCandidates(count, senders.length)),
      value,
    ]);
    if (group.varies) {
      const some = `${group.name} differences`;
      const cuts = g.input(fed.cuts(group), "float32", ofCandidates(count, some));
      changes.push([cuts, written(fed.difference(group), some)]);
    }
    if (changes.length === 0) {
      const byPrompt = g.reshape(base, [count, "prompts", "pos", dModel]);
      return single ? g.assume(byPrompt, [count, "batch", "pos", dModel]) : ofEachRow(byPrompt);
    }
    // Sums of products in this form are one operator each.
    const sum = changes.reduce((so, [mask, values]) => g.add(g.matmul(mask, values), so), base);
    const apart = g.reshape(sum, ofCandidates(count, "prompts", "pos", dModel));
    const ordered = single ? apart : g.transpose(apart, [1, 0, 2, 3, 4]);
    const joined = g.reshape(ordered, [count, rows, "pos", dModel]);
    return g.assume(joined, [count, "batch", "pos", dModel]);
  };
  /** The prompts' values of the second axis, for each row. */
  const ofEachRow = (x: Value): Value =>
    g.transpose(g.gather(g.transpose(x, [1, 0, 2, 3]), row), [1, 0, 2, 3]);
  const whole = new Map<CutGroup, Value>();
  const cut = new Map(
    online.cut.flatMap((group) => group.inputs.map(({ point }, i) => [point, { group, i }] as const)),
  );
  /** The inputs of the receivers at one point, as the point has them. */
  const inputsAt = (group: CutGroup, i: number, axes: readonly string[]): Value => {
    const all = whole.get(group) ?? inputsOf(group);
    whole.set(group, all);
    return inputAt(group, i, all, axes);
  };
  const outputs = g.rebuild(runGraph(setting, online).outputs, (original, rebuilt) => {
    if (original.op !== "point") return rebuilt;
    const { name, axes } = original.attributes as { name: string; axes: readonly string[] };
    let value = rebuilt.inputs[0]!;
    const constant = between.get(name);
    const part = partial.get(name);
    const own = cut.get(name);
    if (name === online.start) value = ofRows(fed.residual);
    if (constant) value = ofRows(fed.written(constant));
    if (part) value = g.add(value, ofRows(fed.leftOut(part)));
    if (own) value = inputsAt(own.group, own.i, axes);
    const named = g.point(name, value, axes);
    seen.set(name, named);
    return named;
  });
  return { graph: { outputs }, stacks };
}

/** Of the inputs of a group's receivers, `[receiver, batch, pos, dModel]`, those at one of its points, as the point has them. */
export function inputAt({ inputs }: CutGroup, i: number, all: Value, axes: readonly string[]): Value {
  if (axes.length === 3) return g.squeeze(all, [0]);
  const first = inputs.slice(0, i).reduce((sum, { count }) => sum + count, 0);
  const own = g.slice(all, 0, first, first + inputs[i]!.count);
  return g.transpose(inputs.length === 1 ? all : own, [1, 2, 0, 3]);
}

/** The model with the parts apart that a run has apart: inputs of receivers that differ, results of heads that are read there. */
export function runGraph(setting: CircuitSetting, { parts, cut }: Pick<Online, "parts" | "cut">): g.Graph {
  const { engine, task, edits } = setting;
  const last = cut.at(-1)?.senders ?? 0;
  const wanted = new Set([
    ...cut.flatMap(({ inputs }) => inputs.map(({ point }) => point)),
    ...parts.filter(({ block }) => block.first < last).flatMap(({ block }) => sentPointsOf(engine, block)),
    ...edits.map(({ point }) => point),
  ]);
  const heads = parts
    .filter(({ block }) => block.kind === "attention")
    .map(({ block, senders }) => [block.layer, senders.map((sender) => sender - block.first)] as const);
  const { layout, parameter } = someHeads(engine, new Map(heads));
  const graph = transformer(engine.config, layout, parameter, {
    wants: (name) => wanted.has(name),
    padded: task.clean.mask !== undefined,
    last: readsLastLogits(task.metric),
  });
  return weave(graph, edits);
}
