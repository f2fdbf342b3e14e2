/** A prompt, a corrupted prompt that differs from it in what matters, and what may follow. */
export interface Prompt {
  /** The prompt. */
  readonly clean: string;
  /** A prompt with as many words in the same places, to which another answer belongs. */
  readonly corrupt: string;
  /** What follows the clean prompt, with the space before it where one belongs. */
  readonly answer: string;
  /** What follows the corrupt prompt. */
  readonly wrongAnswer: string;
}

/** What every prompt generator of the world takes. */
export interface TaskOptions {
  /** How many prompts. Default 100. */
  count?: number;
  /** A whole number or a text; the same seed gives the same prompts. Default 0. */
  seed?: number | string;
  /** Combinations that the training text never has (default), or those that it has. */
  split?: "heldOut" | "train";
}

/** The options with their defaults. @throws RangeError where the count is not a whole number from 1 on. */
export function taskOptions({ count = 100, seed = 0, split = "heldOut" }: TaskOptions): {
  count: number;
  seed: number | string;
  heldOut: boolean;
} {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`A task takes a count from 1 on; ${count} came.`);
  if (split !== "heldOut" && split !== "train")
    throw new TypeError(`A split is "heldOut" or "train"; "${split}" came.`);
  return { count, seed, heldOut: split === "heldOut" };
}
