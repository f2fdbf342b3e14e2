/**
 * Work for choices that change while it goes on: the newest win. A run that they overtake is aborted, what came between is
 * never run, and at most one run is going.
 */
export class NewestRun {
  private controller: AbortController | null = null;
  private wanted = false;
  private loop: Promise<void> | null = null;
  private scheduled = false;
  private closed = false;

  /** @param work does the work for the choices as they are when it begins; it must not reject */
  constructor(private readonly work: (signal: AbortSignal) => Promise<void>) {}

  /** Whether the run that was aborted was stopped by the reader, and neither overtaken nor closed. */
  get wasStopped(): boolean {
    return !this.wanted && !this.closed;
  }

  /** Asks for a run. Several choices may change in one message: they make one run. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      if (!this.closed) this.start();
    });
  }

  /** Begins a run now, or as soon as the one that is going has ended. */
  start(): void {
    this.wanted = true;
    this.controller?.abort();
    this.loop ??= this.runWanted();
  }

  /** Ends the run that is going; nothing follows it. */
  stop(): void {
    this.wanted = false;
    this.controller?.abort();
  }

  /** Ends all work for good. */
  close(): void {
    this.closed = true;
    this.stop();
  }

  /** Resolves when no run is going. */
  async settled(): Promise<void> {
    await Promise.resolve();
    while (this.loop) await this.loop;
  }

  private async runWanted(): Promise<void> {
    while (this.wanted) {
      this.wanted = false;
      this.controller = new AbortController();
      await this.work(this.controller.signal);
      this.controller = null;
    }
    // In the same turn as the last look at `wanted`: choices of a later turn begin a new loop.
    this.loop = null;
  }
}
