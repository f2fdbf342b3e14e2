/** What code writes and displays, kept as a notebook keeps it. */
import type { MimeBundle } from "../../../widgets/host.js";
import type { NotebookOutput, TakeOutput } from "../environment.js";

/** Of a longer stream no more than its end is kept: nobody reads it all, and every update carries all of it. */
const MAX_STREAM_CHARS = 200_000;
const KEPT_CHARS = MAX_STREAM_CHARS / 2;

interface Kept {
  readonly output: NotebookOutput;
  readonly displayId?: string;
}

/** A list of outputs that messages add to. */
export class OutputRecorder {
  #kept: readonly Kept[] = [];
  /** Whether the next output takes the place of all before. */
  #clearing = false;

  /** @param changed called after each change */
  constructor(private readonly changed: () => void) {}

  /** The outputs, in order. */
  get outputs(): readonly NotebookOutput[] {
    return this.#kept.map(({ output }) => output);
  }

  /** Takes a message of a kernel. */
  readonly take: TakeOutput = (type, content) => {
    const transient = (content.transient ?? {}) as { readonly display_id?: string };
    if (type === "clear_output") this.clear(content.wait === true);
    else if (type === "update_display_data") this.#replace(transient.display_id, displayed(content));
    else if (type === "stream") this.#write(String(content.name), String(content.text));
    else
      this.add(
        displayed(content),
        transient.display_id === undefined ? {} : { displayId: transient.display_id },
      );
  };

  /** Adds an output. */
  add(output: NotebookOutput, rest: Omit<Kept, "output"> = {}): void {
    this.#set([...this.#before(), { output, ...rest }]);
  }

  /** Takes all outputs away; with `wait`, when the next one comes. */
  clear(wait = false): void {
    this.#clearing = wait;
    if (!wait) this.#set([]);
  }

  /** Takes away what a clearing that waits has left, where nothing has come. */
  settle(): void {
    if (this.#clearing) this.clear();
  }

  #before(): readonly Kept[] {
    const before = this.#clearing ? [] : this.#kept;
    this.#clearing = false;
    return before;
  }

  #write(name: string, text: string): void {
    const before = this.#before();
    const last = before.at(-1)?.output;
    const continues = last?.output_type === "stream" && last.name === name;
    const whole = continues ? last.text + text : text;
    const kept = whole.length > MAX_STREAM_CHARS ? `…${whole.slice(-KEPT_CHARS)}` : whole;
    const output: NotebookOutput = { output_type: "stream", name, text: kept };
    this.#set([...(continues ? before.slice(0, -1) : before), { output }]);
  }

  #replace(displayId: string | undefined, output: NotebookOutput): void {
    if (displayId === undefined) return;
    this.#set(this.#kept.map((kept) => (kept.displayId === displayId ? { output, displayId } : kept)));
  }

  #set(kept: readonly Kept[]): void {
    this.#kept = kept;
    this.changed();
  }
}

function displayed(content: Readonly<Record<string, unknown>>): NotebookOutput {
  return {
    output_type: "display_data",
    data: content.data as MimeBundle,
    metadata: (content.metadata ?? {}) as object,
  };
}
