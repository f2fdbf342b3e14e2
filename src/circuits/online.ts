/** What of a model a run must compute for a choice of edges, and what is known from the model's own run. */

import type { ReceiverGroup } from "./circuit-graph.js";
import { type Cuts, changed, reachingLogits } from "./reach.js";
import { receiverPoint, type SenderBlock } from "./residual-parts.js";
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

/** Receivers of one part with cut edges: heads' queries, keys and values together, an MLP, or the logits. */
export interface CutGroup {
  /** The part's name, such as `a2`, `m2` or `logits`. */
  readonly name: string;
  /** How many of the graph's senders may send to them. */
  readonly senders: number;
  /** The number of the first edge that the receivers' places are counted from. */
  readonly firstEdge: number;
  /** The places of the receivers, group by group. */
  readonly receivers: readonly number[];
  /** The points that receive, and how many of the receivers each has. */
  readonly inputs: readonly { readonly point: string; readonly count: number }[];
  /** The point that they read in the model's own run. */
  readonly state: string;
  /** Whether the choices differ in these receivers' edges. */
  readonly varies: boolean;
}

/** The number of the edge from a sender to one of the receivers. */
export const edgeOf = (
  { firstEdge, senders }: Pick<CutGroup, "firstEdge" | "senders">,
  receiver: number,
  sender: number,
): number => firstEdge + receiver * senders + sender;

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
  return { parts, cut: cutGroups(setting, parts, choices), start, between };
}

function cutGroups(
  setting: CircuitSetting,
  parts: readonly OnlinePart[],
  choices: readonly Cuts[],
): CutGroup[] {
  const isCut = (group: ReceiverGroup, receiver: number): boolean =>
    choices.some((cuts) => edgesInto(group, receiver, cuts).includes(1));
  return receivingGroups(setting, parts, isCut).map((group) => {
    const varies = group.receivers.some((receiver) => {
      const [first, ...others] = choices.map((cuts) => edgesInto(group, receiver, cuts));
      return others.some((cuts) => cuts.some((bit, sender) => bit !== first![sender]));
    });
    return { ...group, varies };
  });
}

/**
 * The receivers of parts that are computed, and the logits: of those groups in which one is wanted.
 *
 * @param wants whether a receiver of a group is
 */
export function receivingGroups(
  { graph: { groups }, engine }: CircuitSetting,
  parts: readonly OnlinePart[],
  wants: (group: ReceiverGroup, receiver: number) => boolean,
): CutGroup[] {
  const { nLayers, parallel } = engine.config;
  const ofPart = (layer: number, isHead: boolean): ReceiverGroup[] =>
    groups.filter((group) => group.layer === layer && /^[qkv]$/.test(group.kind) === isHead);
  const receiving = [
    ...parts
      .filter(({ block }) => block.kind !== "input")
      .map(({ block, senders }) => ({
        name: block.name,
        own: ofPart(block.layer, block.kind === "attention"),
        receivers: senders.map((sender) => sender - block.first),
        state: `blocks.${block.layer}.hook_resid_${block.kind === "mlp" && !parallel ? "mid" : "pre"}`,
      })),
    {
      name: "logits",
      own: ofPart(nLayers, false),
      receivers: [0],
      state: `blocks.${nLayers - 1}.hook_resid_post`,
    },
  ];
  return receiving.flatMap(({ name, own, receivers, state }): CutGroup[] => {
    const [{ senders, firstEdge }] = own as [ReceiverGroup];
    const wanted = own.filter((group) => receivers.some((receiver) => wants(group, receiver)));
    if (wanted.length === 0) return [];
    const placesBefore = (group: ReceiverGroup): number => (group.firstEdge - firstEdge) / senders;
    return [
      {
        name,
        senders,
        firstEdge,
        receivers: wanted.flatMap((group) => receivers.map((receiver) => placesBefore(group) + receiver)),
        inputs: wanted.map((group) => ({ point: receiverPoint(group, nLayers), count: receivers.length })),
        state,
        varies: false,
      },
    ];
  });
}

const edgesInto = (group: Pick<CutGroup, "firstEdge" | "senders">, receiver: number, cuts: Cuts): Cuts => {
  const first = edgeOf(group, receiver, 0);
  return cuts.subarray(first, first + group.senders);
};
