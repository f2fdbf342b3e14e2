import { shortNumber } from "../text.js";
import { edgeNameOf } from "./graph.js";
import type { AcdcAnimationState } from "./state.js";
import type { Timeline } from "./timeline.js";

/** A metric, or a dash where it is not known. */
export function metricText(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  // What float32 leaves of a difference that is zero.
  return Math.abs(value) < 1e-6 && value !== 0 ? "≈ 0" : shortNumber(value, 4);
}

/** A change with its sign. */
export function changeText(before: number, after: number): string {
  const change = after - before;
  if (Number.isNaN(change)) return "";
  return `${change > 0 ? "+" : ""}${shortNumber(change)}`;
}

/** The circuit at a position in one line. */
export function summaryOf(state: AcdcAnimationState, timeline: Timeline): string {
  const { position, edgesLeft, edges } = timeline;
  const metric = timeline.metricAt(position);
  const parts = [
    `${edgesLeft} of ${edges.count} edges`,
    ...(Number.isNaN(metric) ? [] : [`${state.metric_name} ${metricText(metric)}`]),
    ...(state.full === null
      ? []
      : [`${Number.isNaN(metric) ? `${state.metric_name} ` : ""}${metricText(state.full)} with all`]),
    ...state.facts,
    ...(state.kind === "search" && timeline.count < state.total
      ? [`${timeline.count} of ${state.total} edges tried`]
      : []),
    ...(state.cuts.length > 0 ? [`${state.cuts.length} cut by hand`] : []),
    ...(state.error ? [state.error] : []),
  ];
  return parts.join(", ");
}

/** What the last step was, in a sentence. */
export function stepSentence(state: AcdcAnimationState, timeline: Timeline): string {
  const { position } = timeline;
  const step = timeline.step(position - 1);
  const place = `Step ${position} of ${state.total}`;
  if (!step)
    return state.kind === "ranking"
      ? `All ${timeline.edges.count} edges; the weakest are removed first.`
      : `Nothing tried yet: all ${timeline.edges.count} edges are there.`;
  const name = edgeNameOf(state.nodes, timeline.edges, step.edge);
  if (state.kind === "ranking")
    return `The ${timeline.edgesLeft} strongest of ${timeline.edges.count} edges; removed last: ${name}.`;
  if (Number.isNaN(step.after)) return `${place}: ${name} removed, as it led nowhere any more`;
  const { before, after, kept } = step;
  const change = changeText(before, after);
  const least =
    state.threshold === null ? "" : `${state.smaller_is_better ? "" : "−"}${shortNumber(state.threshold)}`;
  const verdict = kept ? "kept" : "removed";
  const limit = least ? `; the limit is ${state.smaller_is_better ? "+" : ""}${least}` : "";
  return `${place}: ${name} ${verdict}: ${state.metric_name} ${metricText(before)} → ${metricText(after)} (${change}${limit})`;
}

/** What is known about an edge, in lines. */
export function edgeLines(
  state: AcdcAnimationState,
  timeline: Timeline,
  edge: number,
  score: number | undefined,
): string[] {
  const at = timeline.stepOf[edge]!;
  const step = timeline.step(at);
  const cut = state.cuts.includes(edge) ? ["cut by you"] : [];
  if (state.kind === "ranking")
    return [
      `score ${shortNumber(score ?? 0, 4)}`,
      ...(at < timeline.position && step ? ["removed"] : []),
      ...cut,
    ];
  if (!step) return ["not tried yet", ...cut];
  const later = at >= timeline.position ? " later," : "";
  const when = `${step.kept ? "kept" : "removed"}${later} in step ${at + 1}`;
  const effect = Number.isNaN(step.after)
    ? "it led nowhere any more"
    : `${state.metric_name} ${metricText(step.before)} → ${metricText(step.after)} (${changeText(step.before, step.after)})`;
  return [when, effect, ...cut];
}
