/** What may be written to a stream of the process. */
type Write = (chunk: string | Uint8Array, ...rest: unknown[]) => boolean;

/**
 * Sends what the process writes to the notebook.
 *
 * @param publish takes the text; false where there is no cell yet that it could belong to
 */
export function hookStreams(publish: (name: "stdout" | "stderr", text: string) => boolean): void {
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    const original = stream.write.bind(stream) as Write;
    const decoder = new TextDecoder();
    const write: Write = (chunk, ...rest) => {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      if (!publish(name, text)) return original(chunk, ...rest);
      const done = rest.find((argument) => typeof argument === "function");
      if (done) queueMicrotask(done as () => void);
      return true;
    };
    stream.write = write as typeof stream.write;
  }
}
