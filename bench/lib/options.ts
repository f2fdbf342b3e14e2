/** What the programs under `bench/` are told on the command line. */

import { parseArgs } from "node:util";

/** How a program measures. */
export interface BenchOptions {
  /** A tiny model and few rounds: whether everything works, not how fast it is. */
  readonly quick: boolean;
  /** Rounds of a race at most. */
  readonly rounds: number;
  /** Seconds after which a race begins no further round; three rounds are run at least. */
  readonly budget: number;
  /** Shapes `[batch, pos]`; those of each program where none is given. */
  readonly shapes?: readonly (readonly [number, number])[];
}

/** Reads `--quick`, `--rounds N`, `--budget SECONDS` and `--shape BATCH,POS` (any number of times). */
export function readOptions(): BenchOptions {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      budget: { type: "string" },
      shape: { type: "string", multiple: true },
    },
  });
  const { quick } = values;
  return {
    quick,
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "3" : "15")),
    budget: wholeNumber("--budget", values.budget ?? (quick ? "5" : "45")),
    shapes: values.shape?.map(readShape),
  };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${option} must be a whole number from 1 on, but is "${text}".`);
}

function readShape(text: string): readonly [number, number] {
  const [batch, pos, ...more] = text.split(",").map((part) => wholeNumber("--shape", part));
  if (batch !== undefined && pos !== undefined && more.length === 0) return [batch, pos];
  throw new Error(`--shape must be two numbers, such as 16,16, but is "${text}".`);
}
