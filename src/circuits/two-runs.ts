/** Runs on the clean and on the corrupt prompts side by side in one graph, some prompts at a time. */

import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import type { CircuitSetting } from "./setting.js";

/** Inputs by name. */
export type Feeds = Readonly<Record<string, Feed>>;

const promptInputs = new Set(["tokens", "positions", "attentionMask"]);
const corrupt = (name: string): string => `corrupt.${name}`;

/** The same graph, reading the corrupt prompts. */
export function onCorrupt(graph: g.Graph): g.Graph {
  return {
    outputs: g.rebuild(graph.outputs, (original, rebuilt) => {
      const name = original.attributes.name as string;
      const isPrompt = original.op === "input" && promptInputs.has(name);
      return isPrompt ? g.input(corrupt(name), original.dtype, original.shape) : rebuilt;
    }),
  };
}

/** What it is fed. */
export function corruptFeeds({ engine, task, edits }: CircuitSetting): Feeds {
  return Object.fromEntries(
    Object.entries(engine.feeds(task.corrupt!, edits))
      .filter(([name]) => promptInputs.has(name))
      .map(([name, feed]) => [corrupt(name), feed]),
  );
}

/** The feeds of some of the prompts. */
export function promptFeeds(plan: Plan, feeds: Feeds, start: number, count: number): Record<string, Feed> {
  const parts = Object.entries(feeds).map(([name, feed]): [string, Feed] => {
    if (plan.inputShape(name)?.[0] !== "batch") return [name, feed];
    const size = feed.data.length / feed.shape[0]!;
    const data = feed.data.subarray(start * size, (start + count) * size);
    return [name, { dtype: feed.dtype, shape: [count, ...feed.shape.slice(1)], data }];
  });
  return Object.fromEntries(parts);
}
