import type { WireTensor } from "../tensor.js";

/** What can be patched, by its short name such as `resid_pre`, and the tables that a sweep over it can have. */
export interface PatchedPoint {
  readonly at: string;
  /** Axes of tables, such as `["layer", "pos"]`. */
  readonly grids: readonly (readonly string[])[];
}

/** What can be measured: the kernel says which there are. */
export interface MetricKind {
  readonly kind: string;
  readonly label: string;
  /** How many answers it is made of: the right one, and the wrong one. */
  readonly answers: 0 | 1 | 2;
}

/** Which run is changed: the corrupt one by clean values, or the clean one by corrupt values. */
export type Direction = "denoising" | "noising";

/** What the reader chose. The browser sets these, the kernel runs the sweep and answers with `result`. */
export interface PatchingChoices {
  clean: string;
  corrupt: string;
  answer: string;
  wrong_answer: string;
  metric: string;
  direction: Direction;
  at: string;
  over: readonly string[];
}

/** How probable next tokens are in the two runs and in patched ones. */
export interface NextTokens {
  /** Those that are probable in one of the runs at least. */
  readonly tokens: readonly string[];
  /** float32 `[token]`. */
  readonly clean: WireTensor;
  readonly corrupt: WireTensor;
  /** float32 `[cell, token]`. */
  readonly patched: WireTensor;
}

/** What a sweep found. */
export interface PatchingResult {
  /** Grows with each sweep. */
  readonly id: number;
  /** The choices that it is a result of. */
  readonly choices: PatchingChoices;
  /** The names of the places along each axis, in the order of the choices' `over`. */
  readonly labels: readonly (readonly string[])[];
  /** The metric with each cell patched, float32 in row-major order; NaN where the sweep did not come to it. */
  readonly metric: WireTensor;
  /** The metric of the two runs. */
  readonly clean: number;
  readonly corrupt: number;
  /** Sentences on what is missing or doubtful. */
  readonly notes: readonly string[];
  /** Of every cell; `null` where that would be too much, and each cell is computed when it is looked at. */
  readonly next: NextTokens | null;
}

/** What one cell does to the next token, computed when the cell was looked at. */
export interface CellResult {
  /** The result whose cell it is. */
  readonly result: number;
  readonly cell: number;
  readonly next: NextTokens | null;
  /** A sentence when it failed. */
  readonly error: string;
}

/** Where the sweep for the present choices stands. */
export interface PatchingRun {
  readonly status: "idle" | "running" | "done" | "stopped" | "error";
  /** Cells done, and all; 0 before it is known. */
  readonly done: number;
  readonly total: number;
  /** A sentence when it failed. */
  readonly error: string;
}

/** The synchronised state of a patching explorer. */
export interface PatchingExplorerState extends PatchingChoices {
  title: string;
  points: readonly PatchedPoint[];
  metrics: readonly MetricKind[];
  /** The tokens of the two prompts, so that the reader sees which correspond. */
  tokens: { readonly clean: readonly string[]; readonly corrupt: readonly string[] };
  run: PatchingRun;
  /** The last sweep that came to something; what fails later does not take it away. */
  result: PatchingResult | null;
  /** The cell of `result` whose next tokens are shown. */
  selected: number | null;
  cell: CellResult | null;
}

/** The names of the choices. */
export const choiceNames: readonly (keyof PatchingChoices)[] = [
  "clean",
  "corrupt",
  "answer",
  "wrong_answer",
  "metric",
  "direction",
  "at",
  "over",
];

/** Browser → kernel: run again with the present choices, or end the run. */
export interface PatchingCommand {
  readonly method: "run" | "stop";
}

/** The state of an explorer before anything is known. */
export const patchingExplorerDefaults: PatchingExplorerState = {
  title: "",
  points: [],
  metrics: [],
  clean: "",
  corrupt: "",
  answer: "",
  wrong_answer: "",
  metric: "",
  direction: "denoising",
  at: "",
  over: [],
  tokens: { clean: [], corrupt: [] },
  run: { status: "idle", done: 0, total: 0, error: "" },
  result: null,
  selected: null,
  cell: null,
};

/** Whether two sets of choices ask for the same sweep. */
export function sameChoices(a: PatchingChoices, b: PatchingChoices): boolean {
  return choiceNames.every((name) => String(a[name]) === String(b[name]));
}
