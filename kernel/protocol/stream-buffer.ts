/** A run of text that one request wrote to one stream. */
export interface StreamText {
  /** The parent header, as JSON. */
  readonly parent: string;
  readonly name: "stdout" | "stderr";
  readonly text: string;
}

const FLUSH_MS = 40;
const MAX_CHARS = 1 << 16;

/**
 * Joins what is written shortly after one another into one message: Jupyter servers drop output beyond a thousand
 * messages a second.
 */
export class StreamBuffer {
  #run: { parent: string; name: StreamText["name"]; texts: string[]; chars: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly publish: (text: StreamText) => void) {}

  /** Takes text; it is published soon, or at the next flush. */
  write({ parent, name, text }: StreamText): void {
    const run = this.#run;
    if (run && run.parent === parent && run.name === name && run.chars < MAX_CHARS) {
      run.texts.push(text);
      run.chars += text.length;
      return;
    }
    this.flush();
    this.#run = { parent, name, texts: [text], chars: text.length };
    this.#timer = setTimeout(() => this.flush(), FLUSH_MS);
  }

  /** Publishes what is held. Called before every other message, so that the order stays. */
  flush(): void {
    const run = this.#run;
    if (!run) return;
    clearTimeout(this.#timer);
    this.#run = undefined;
    this.publish({ parent: run.parent, name: run.name, text: run.texts.join("") });
  }
}
