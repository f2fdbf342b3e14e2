import type { WidgetHandle } from "../host.js";
import { throttle } from "../throttle.js";
import type { StepLog } from "./log.js";
import type { AnimationSource } from "./source.js";
import type { AcdcAnimationState, SearchStatus } from "./state.js";

/** Steps are sent at most once in so many milliseconds. */
const updateInterval = 100;

/** A search under way: it makes a step when the reader lets it. */
export class SearchRun {
  /** Resolves when no more steps are made. */
  readonly finished: Promise<void>;
  private readonly controller = new AbortController();
  private readonly show = throttle(() => this.handle.set(this.news()), updateInterval);
  /** How many steps may still be made before the search waits. */
  private allowed: number;
  private wake: () => void = () => {};

  constructor(
    private readonly handle: WidgetHandle<AcdcAnimationState>,
    private readonly log: StepLog,
    private readonly source: Pick<AnimationSource, "search" | "order">,
  ) {
    const { search } = source;
    this.allowed = handle.get("status") === "paused" ? 0 : Number.POSITIVE_INFINITY;
    this.finished = search ? this.drive(search(this.controller.signal)) : Promise.resolve();
    this.finished.catch(() => {}); // whoever waits for it is told; nobody has to wait
  }

  pause(): void {
    if (!this.isActive()) return;
    this.allowed = 0;
    this.tell("paused");
  }

  resume(): void {
    this.allow(Number.POSITIVE_INFINITY, "running");
  }

  step(): void {
    this.allow(1, "paused");
  }

  stop(): void {
    if (!this.isActive()) return;
    this.tell("stopping");
    this.controller.abort();
    this.wake();
  }

  private isActive(): boolean {
    const status = this.handle.get("status");
    return status === "running" || status === "paused";
  }

  private allow(steps: number, status: SearchStatus): void {
    if (!this.isActive()) return;
    this.allowed = steps;
    this.tell(status);
    this.wake();
  }

  private news(): Partial<AcdcAnimationState> {
    return { ...this.log.news(), next: this.source.order?.[this.log.length] ?? -1 };
  }

  /** Says where the search stands, together with the steps that have not been sent yet. */
  private tell(status: SearchStatus, error = ""): void {
    this.show.cancel();
    const over = status !== "running" && status !== "paused";
    this.handle.set({ ...this.news(), ...(over ? { next: -1 } : {}), status, error });
  }

  private async drive(steps: ReturnType<NonNullable<AnimationSource["search"]>>): Promise<void> {
    const { signal } = this.controller;
    try {
      for (;;) {
        while (this.allowed <= 0 && !signal.aborted)
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        const { done, value } = await steps.next();
        if (done) break;
        this.allowed--;
        this.log.add(value, value.index);
        if (value.index === 0) this.handle.set({ full: value.before });
        if (this.allowed <= 0) this.show.now();
        else this.show.soon();
      }
      this.tell(this.log.length < this.handle.get("total") ? "stopped" : "done");
    } catch (error) {
      this.tell("error", error instanceof Error ? error.message : String(error));
      throw error;
    }
  }
}
