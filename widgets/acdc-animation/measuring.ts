import type { WidgetHandle } from "../host.js";
import type { StepLog } from "./log.js";
import type { AnimationSource } from "./source.js";
import type { AcdcAnimationState, MeasureAnswer, MeasureRequest } from "./state.js";

/** Answers what the metric is without some edges. One circuit is measured at a time, and then the newest that is asked for. */
export class Measuring {
  private readonly controller = new AbortController();
  private readonly forget: () => void;
  private waiting: MeasureRequest | null = null;
  private busy = false;

  constructor(
    private readonly handle: WidgetHandle<AcdcAnimationState>,
    private readonly log: StepLog,
    private readonly edgeCount: number,
    private readonly measure: NonNullable<AnimationSource["measure"]>,
  ) {
    this.forget = handle.onMessage((content) => {
      const request = content as Partial<MeasureRequest> | null;
      if (request?.method !== "measure") return undefined;
      if (this.waiting) this.answer(this.waiting, null);
      this.waiting = {
        method: "measure",
        id: Number(request.id),
        position: Number(request.position),
        without: Array.isArray(request.without) ? request.without : [],
      };
      return this.busy ? undefined : this.work();
    });
  }

  close(): void {
    this.forget();
    this.waiting = null;
    this.controller.abort();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.waiting) {
      const request = this.waiting;
      this.waiting = null;
      try {
        const metric = await this.measure(this.cutsOf(request), this.controller.signal);
        this.answer(request, metric);
      } catch (error) {
        if (this.controller.signal.aborted) break;
        this.answer(request, null, error instanceof Error ? error.message : String(error));
      }
    }
    this.busy = false;
  }

  private cutsOf({ position, without }: MeasureRequest): Uint8Array {
    const cut = new Uint8Array(this.edgeCount);
    for (const edge of this.log.removed(position)) cut[edge] = 1;
    for (const edge of without) {
      if (!Number.isInteger(edge) || edge < 0 || edge >= this.edgeCount)
        throw new RangeError(`There is no edge ${edge}: the graph has ${this.edgeCount}, counted from 0.`);
      cut[edge] = 1;
    }
    return cut;
  }

  private answer({ id }: MeasureRequest, metric: number | null, error = ""): void {
    this.handle.send({ method: "measure", id, metric, error } satisfies MeasureAnswer);
  }
}
