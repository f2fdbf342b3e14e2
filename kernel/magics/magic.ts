import type { OptionSpecs, OptionValues } from "./options.js";
import type { ModelSession } from "./session.js";

/** What a magic can use while it runs. */
export interface MagicContext<S extends OptionSpecs = OptionSpecs> {
  /** The options' values. */
  readonly options: OptionValues<S>;
  /** The words of the line that are not options, quotes taken off. */
  readonly words: readonly string[];
  /** The line as it was typed, without the magic's name. */
  readonly line: string;
  /** What stands below the first line of a cell magic; empty for a line magic. */
  readonly body: string;
  /** Aborted when the cell is interrupted. */
  readonly signal: AbortSignal;
  /** What magics remember between calls, such as the current model. */
  readonly session: ModelSession;
  /** The variables that cells have declared. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** All magics. */
  readonly magics: readonly Magic[];
  /** Shows a value beside the cell. A magic's return value is shown as the value of the line. */
  display(value: unknown): Promise<void>;
  /**
   * Takes what the cell writes and displays from now on, in the notebook's place, as the contents of `stream` and
   * display messages; returns what ends that.
   */
  capture(take: (type: string, content: Readonly<Record<string, unknown>>) => void): () => void;
  /** Puts a text in the place of the cell, in the notebook. */
  replaceCell(text: string): void;
  /** Forgets the variables of all cells, at the end of this one. */
  reset(): void;
  /** Runs TypeScript as part of the cell; returns the value of its last expression. */
  execute(code: string): Promise<unknown>;
}

/** What a magic was called with. */
export type MagicCall<S extends OptionSpecs = OptionSpecs> = Pick<
  MagicContext<S>,
  "options" | "words" | "body"
>;

/** A magic command: a thin face of a function of the library. */
export interface Magic<S extends OptionSpecs = OptionSpecs> {
  /** Without the percent sign. */
  readonly name: string;
  /** `%name` on a line, `%%name` in front of a cell, or both. */
  readonly kind: "line" | "cell" | "both";
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The words after the name, for the help: `"<text>"`. Default: none. */
  readonly usage?: string;
  /** Default: none. */
  readonly options?: S;
  /**
   * Whether the line is read as options and words. Default true; false hands it over as it stands, for magics
   * whose line is code.
   */
  readonly parsed?: boolean;
  /** A call that works. */
  readonly example: string;
  /**
   * The TypeScript that the example stands for; or a function that gives that of any call, by which the magic has an
   * option `--show-code`.
   */
  readonly typescript: string | ((call: MagicCall<S>) => string);
  /** Does the work; what it returns becomes the value of the line or the cell. */
  run(context: MagicContext<S>): unknown;
  /**
   * Replaces a line magic by TypeScript on the same line, instead of a call of `run`: for magics around code.
   *
   * @param line what follows the name
   */
  rewrite?(line: string): string;
  /** What may stand for the word under the cursor, where none of an option's choices does. */
  complete?(request: CompletionRequest): readonly string[];
}

/** What a magic is told of the word that it shall complete. */
export interface CompletionRequest extends Pick<MagicContext, "session" | "variables"> {
  readonly word: string;
  /** What stands between the magic's name and the cursor. */
  readonly line: string;
  /** The option whose value the word is; undefined where it is none. */
  readonly option: string | undefined;
}

/** Gives a magic its type: `options` inside `run` are typed by their declaration. */
export function defineMagic<const S extends OptionSpecs>(magic: Magic<S>): Magic {
  return magic as unknown as Magic;
}
