/** The course of a figure: what it was after how much work. */
export interface ProgressCurve {
  /** Such as `loss`. */
  readonly name: string;
  /** Units done and the figure then, in order. */
  readonly points: readonly (readonly [done: number, value: number])[];
}

/** The synchronised state of a progress bar. Only the kernel changes it. */
export interface ProgressState {
  /** What is being done, such as `training`. */
  task: string;
  /** Units done so far. */
  done: number;
  /** Units in all; null where that is not known. */
  total: number | null;
  /** Seconds since the work began. */
  seconds: number;
  /** Units in a second; null where too little is done to say. */
  rate: number | null;
  /** The latest figures, as text. */
  values: Readonly<Record<string, string>>;
  /** The course of the first figure; null where there is none. */
  curve: ProgressCurve | null;
  /** `stopping` from the stop button until the work has ended; `ended` where it ended before its total. */
  status: "running" | "stopping" | "done" | "ended";
}

/** Browser → kernel: a view of the bar stands in a page, or its stop button was pressed. */
export interface ProgressMessage {
  readonly method: "shown" | "stop";
}

/** A bar before anything is known. */
export const progressDefaults: ProgressState = {
  task: "",
  done: 0,
  total: null,
  seconds: 0,
  rate: null,
  values: {},
  curve: null,
  status: "running",
};
