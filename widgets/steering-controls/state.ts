/** One field that describes a direction. */
export interface DirectionField {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "number";
  /** What the field holds at first. Default: empty. */
  readonly value?: string;
  readonly hint?: string;
}

/** A way to name a direction: the kernel says which there are, so a new one needs no new browser half. */
export interface DirectionKind {
  /** Such as `difference`, `unembedding`. */
  readonly kind: string;
  readonly label: string;
  readonly fields: readonly DirectionField[];
}

/** A direction as the reader described it. */
export interface Direction {
  readonly kind: string;
  /** The fields by name. */
  readonly values: Readonly<Record<string, string>>;
}

/** Where the direction is added: at every position, at the prompt's last one, or from there on. */
export type Positions = "all" | "last" | "from-prompt-end";

/** What the reader chose. The browser sets these, the kernel runs the model and answers with `result`. */
export interface SteeringChoices {
  prompt: string;
  point: string;
  direction: Direction;
  coefficient: number;
  positions: Positions;
  max_new_tokens: number;
  /** 0 is greedy. */
  temperature: number;
  seed: number;
}

/** How probable a next token is without and with steering. */
export interface NextToken {
  readonly token: string;
  readonly unsteered: number;
  readonly steered: number;
}

/** What a run of the model has shown so far. */
export interface SteeringResult {
  /** Grows with each run. */
  readonly run: number;
  /** The choices that it is a result of. */
  readonly choices: SteeringChoices;
  /** `running` until the last token; `stopped` where the reader ended it. */
  readonly status: "running" | "done" | "stopped" | "error";
  /** The tokens after the prompt. */
  readonly unsteered: readonly string[];
  readonly steered: readonly string[];
  /** The most probable tokens right after the prompt, of either. */
  readonly next: readonly NextToken[];
  /** A sentence when it failed. */
  readonly error: string;
}

/** The synchronised state of steering controls. */
export interface SteeringControlsState extends SteeringChoices {
  title: string;
  points: readonly string[];
  kinds: readonly DirectionKind[];
  /** Ends and step of the coefficient's slider. */
  coefficient_range: readonly [number, number];
  coefficient_step: number;
  /** The largest number of new tokens that may be asked for. */
  token_limit: number;
  result: SteeringResult | null;
}

/** The names of the choices. */
export const choiceNames: readonly (keyof SteeringChoices)[] = [
  "prompt",
  "point",
  "direction",
  "coefficient",
  "positions",
  "max_new_tokens",
  "temperature",
  "seed",
];

/** Browser → kernel: run again with the present choices, or end the run. */
export interface SteeringCommand {
  readonly method: "run" | "stop";
}

/** The state of controls before anything is known. */
export const steeringControlsDefaults: SteeringControlsState = {
  title: "",
  points: [],
  kinds: [],
  prompt: "",
  point: "",
  direction: { kind: "", values: {} },
  coefficient: 0,
  coefficient_range: [-10, 10],
  coefficient_step: 0.5,
  positions: "all",
  max_new_tokens: 20,
  temperature: 0,
  seed: 0,
  token_limit: 200,
  result: null,
};

/** Whether two sets of choices ask for the same run. */
export function sameChoices(a: SteeringChoices, b: SteeringChoices): boolean {
  const sorted = ({ kind, values }: Direction): string =>
    JSON.stringify([kind, Object.entries(values).sort(([x], [y]) => (x < y ? -1 : 1))]);
  return choiceNames.every((name) =>
    name === "direction" ? sorted(a.direction) === sorted(b.direction) : a[name] === b[name],
  );
}
