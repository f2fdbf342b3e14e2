/** What of a model a run must compute for a choice of edges, and what is known from the model's own run. */

import type { CircuitGraph, ReceiverGroup } from "./circuit-graph.js";
import { type Cuts, changed, reachingLogits } from "./reach.js";
import type { SenderBlock } from "./residual-parts.js";
import type { CircuitSetting } from "./setting.js";

/** A part that is computed. */
export interface OnlinePart {
  readonly block: SenderBlock;
  /** The numbers of those of its senders that are computed. */
  readonly senders: readonly number[];
}

/** What is computed, and where the receivers' inputs differ from the residual stream. */
export interface Online {
  /** The parts that are computed, in the order of computation. */
  readonly parts: readonly OnlinePart[];
  /** Groups of receivers that have edges cut: their inputs are sums over senders. */
  readonly cut: readonly CutGroup[];
  /** The point of the residual stream that the first part reads. */
  readonly start: string;
  /** Parts behind it that are not computed. */
  readonly between: readonly SenderBlock[];
}

/** A group of receivers with cut edges. */
export interface CutGroup {
  readonly group: ReceiverGroup;
  /** The receivers that are computed, by their place in the group. */
  readonly receivers: readonly number[];
  /** Whether the choices differ in these receivers' edges. */
  readonly varies: boolean;
}

/**
 * What any of the choices changes and the logits see.
 *
 * @param leaveOut whether heads that the logits do not see may be left out of parts that are computed
 */
export function onlineFor(setting: CircuitSetting, choices: readonly Cuts[], leaveOut: boolean): Online {
  const { graph, blocks, engine } = setting;
  const isChanged = new Uint8Array(graph.senders.length);
  const isSeen = new Uint8Array(graph.senders.length);
  for (const cuts of choices) {
    const changes = changed(graph, cuts);
    reachingLogits(graph, cuts).forEach((reaches, sender) => {
      isSeen[sender]! |= reaches;
      isChanged[sender]! |= reaches & changes[sender]!;
    });
  }
  const parts = blocks.flatMap((block): OnlinePart[] => {
    const all = Array.from({ length: block.count }, (_, i) => block.first + i);
    if (!all.some((sender) => isChanged[sender])) return [];
    return [{ block, senders: leaveOut ? all.filter((sender) => isSeen[sender]) : all }];
  });
  const first = parts[0]?.block;
  const { parallel, nLayers } = engine.config;
  const start = first
    ? first.kind === "attention" || parallel
      ? `blocks.${first.layer}.hook_resid_pre`
      : `blocks.${first.layer}.hook_resid_mid`
    : `blocks.${nLayers - 1}.hook_resid_post`;
  // In a parallel block that begins with its MLP, the heads write after the start.
  const from = first ? (parallel ? first.layer : first.first) : Number.POSITIVE_INFINITY;
  const computed = new Set(parts.map(({ block }) => block));
  const between = blocks.filter(
    (block) => !computed.has(block) && (parallel && first ? block.layer : block.first) >= from,
  );
  return { parts, cut: cutGroups(graph, parts, choices), start, between };
}

function cutGroups(
  { groups }: CircuitGraph,
  parts: readonly OnlinePart[],
  choices: readonly Cuts[],
): CutGroup[] {
  const partOf = ({ kind, layer }: ReceiverGroup): OnlinePart | undefined =>
    parts.find(({ block }) => block.layer === layer && block.kind === (kind === "mlp" ? "mlp" : "attention"));
  return groups.flatMap((group): CutGroup[] => {
    const part = partOf(group);
    if (group.kind !== "logits" && !part) return [];
    const isHead = group.kind !== "mlp" && group.kind !== "logits";
    const receivers = isHead ? part!.senders.map((sender) => sender - part!.block.first) : [0];
    let isCut = false;
    let varies = false;
    for (const receiver of receivers) {
      const first = group.firstEdge + receiver * group.senders;
      for (let edge = first; edge < first + group.senders; edge++) {
        const own = choices[0]![edge]!;
        isCut ||= own === 1;
        varies ||= choices.some((cuts) => cuts[edge] !== own);
      }
    }
    return isCut || varies ? [{ group, receivers, varies }] : [];
  });
}
