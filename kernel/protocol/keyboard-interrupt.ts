/** The reason of an `AbortSignal` that the interrupt button has aborted. */
export class KeyboardInterrupt extends Error {
  override name = "KeyboardInterrupt";

  constructor() {
    super("interrupted");
  }
}
