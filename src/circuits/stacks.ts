/** What senders write that are computed, one behind the other, as the receivers behind them read it. */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { OnlinePart } from "./online.js";

/** Senders that are computed, one behind the other. */
export interface Stack {
  readonly senders: readonly number[];
  /** `[…, sender, prompts·pos·dModel]` */
  readonly value: Value;
}

/**
 * The stacks of the parts before a receiver, asked for in the order of computation. Equal ones are joined, so that each
 * sender is copied a few times only.
 *
 * @param write what a part adds to them
 * @returns the stacks of the parts among the first senders
 */
export function growingStacks(
  parts: readonly OnlinePart[],
  write: (part: OnlinePart) => Value,
): (senders: number) => readonly Stack[] {
  const stacked: Stack[] = [];
  let done = 0;
  return (senders) => {
    for (; done < parts.length && parts[done]!.block.first < senders; done++) {
      const part = parts[done]!;
      stacked.push({ senders: part.senders, value: write(part) });
      while (stacked.length > 1 && stacked.at(-1)!.senders.length >= stacked.at(-2)!.senders.length) {
        const [a, b] = stacked.splice(-2) as [Stack, Stack];
        stacked.push({ senders: [...a.senders, ...b.senders], value: g.concat([a.value, b.value], -2) });
      }
    }
    return [...stacked];
  };
}
