import type { MimeBundle } from "../../widgets/host.js";

/** One output as notebooks keep it (nbformat 4). */
export type NotebookOutput =
  | { readonly output_type: "stream"; readonly name: string; readonly text: string }
  | { readonly output_type: "display_data"; readonly data: MimeBundle; readonly metadata: object }
  | ErrorOutput;

/** An error as notebooks keep it. */
export interface ErrorOutput {
  readonly output_type: "error";
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** Takes a `stream`, `display_data`, `update_display_data` or `clear_output` message in the notebook's place. */
export type TakeOutput = (type: string, content: Readonly<Record<string, unknown>>) => void;

/** What widgets need of the kernel that they live in. */
export interface WidgetEnvironment {
  /** Wraps a callback so that what it prints belongs to the code that registered it, and its errors are shown. */
  bind<A extends unknown[]>(callback: (...args: A) => unknown): (...args: A) => void;
  /** Runs a function; what it writes and displays, also later, goes to `take` and not to the notebook. */
  capture<T>(take: TakeOutput, run: () => T): T;
  /** Shows a value beside the code that runs. */
  display(value: unknown): Promise<void>;
  /** How a value is shown; undefined where nothing is. */
  bundle(value: unknown): Promise<MimeBundle | undefined>;
  /** An error with its traceback. */
  describe(error: unknown): Omit<ErrorOutput, "output_type">;
}
