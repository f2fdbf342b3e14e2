import type { Progress } from "../../src/runtime/host.js";
import type { WidgetHandle, WidgetHost } from "../../widgets/host.js";
import { createProgress, type ProgressState, progressFallback } from "../../widgets/progress/model.js";
import { CurveRecorder } from "./curve-recorder.js";
import { DISPLAY, type MimeBundle } from "./mime.js";

const MIN_MS = 100;
/** Work that is over sooner needs no bar: it would only flicker, and stay in the notebook. */
const PATIENCE_MS = 500;
/** What bars need of the kernel. */
export interface ProgressServices {
  /** A display whose content can be replaced. */
  replaceable(): (bundle: MimeBundle) => void;
  /** Where live bars are made. */
  readonly widgets: WidgetHost;
  /** Ends the work: a reader has pressed the stop button. */
  stop(): void;
  /** Milliseconds. Default: the clock. */
  now?(): number;
}

/** The bars of one cell: one for each kind of task, which a later task of the same name takes over. */
export class ProgressBars {
  readonly #bars = new Map<string, ProgressBar>();

  constructor(private readonly services: ProgressServices) {}

  /** Takes the latest state of a task. */
  update(progress: Progress): void {
    let bar = this.#bars.get(progress.task);
    if (!bar) {
      bar = new ProgressBar(this.services);
      this.#bars.set(progress.task, bar);
    }
    bar.update(progress);
  }

  /** Ends the bars that are open: the cell is over. */
  finish(): void {
    for (const bar of this.#bars.values()) bar.finish();
  }
}

/**
 * One bar: none in the first half second of a task, then redrawn at most ten times a second; at the end its last
 * state, as a line of text and the curve, stays in its place.
 *
 * A front end that runs widgets is told by the widget's state. Until one has said that it does, what is displayed is
 * replaced instead, with the text.
 */
class ProgressBar {
  readonly #now: () => number;
  #start = 0;
  #first = 0;
  #last: Progress | undefined;
  #drawn: number | undefined;
  #curve: CurveRecorder | undefined;
  #widget: WidgetHandle<ProgressState> | undefined;
  #show: ((bundle: MimeBundle) => void) | undefined;
  #seen = false;

  constructor(private readonly services: ProgressServices) {
    this.#now = services.now ?? (() => performance.now());
  }

  update(progress: Progress): void {
    const now = this.#now();
    if (!this.#last) this.#begin(progress, now);
    this.#last = progress;
    this.#addToCurve(progress);
    const finished = progress.total !== undefined && progress.done >= progress.total;
    const late = now - (this.#drawn ?? this.#start + PATIENCE_MS - MIN_MS) >= MIN_MS;
    if (finished && (this.#drawn !== undefined || late)) this.#end(now, "done");
    else if (finished) this.#last = undefined;
    else if (late) this.#draw(now);
  }

  /** Ends a bar whose task has not reached its total. */
  finish(): void {
    if (this.#last && this.#drawn !== undefined) this.#end(this.#now(), "ended");
  }

  #begin(progress: Progress, now: number): void {
    this.#start = now;
    this.#first = progress.done; // resumed work does not begin at 0
    this.#drawn = undefined;
    this.#curve = undefined;
  }

  #draw(now: number): void {
    this.#drawn = now;
    const state = this.#state(now, this.#widget?.get("status") ?? "running");
    if (this.#widget && this.#seen) this.#widget.set(state);
    else {
      this.#widget ??= this.#open(state);
      this.#place(liveBundle(this.#widget, state));
    }
  }

  #open(state: ProgressState): WidgetHandle<ProgressState> {
    this.#seen = false;
    const widget = createProgress(this.services.widgets, state, {
      onShown: () => {
        if (this.#widget !== widget) return;
        this.#seen = true;
        // It has stood still until now.
        widget.set(this.#state(this.#now(), widget.get("status")));
      },
      onStop: () => this.services.stop(),
    });
    return widget;
  }

  #end(now: number, status: "done" | "ended"): void {
    this.#place(progressFallback(this.#state(now, status)));
    this.#widget?.close();
    this.#widget = undefined;
    this.#last = undefined;
  }

  #place(bundle: MimeBundle): void {
    this.#show ??= this.services.replaceable();
    this.#show(bundle);
  }

  #state(now: number, status: ProgressState["status"]): ProgressState {
    const { task, done, total, values = {} } = this.#last!;
    const seconds = (now - this.#start) / 1000;
    const rate = seconds > 0 ? (done - this.#first) / seconds : 0;
    return {
      task,
      done,
      total: total ?? null,
      seconds,
      rate: rate > 0 ? rate : null,
      values: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, String(Number(value.toPrecision(4)))]),
      ),
      curve: this.#curve?.curve ?? null,
      status,
    };
  }

  #addToCurve({ done, values = {} }: Progress): void {
    const [name, value] = Object.entries(values)[0] ?? [];
    if (name === undefined || !Number.isFinite(value)) return;
    if (this.#curve?.name !== name) this.#curve = new CurveRecorder(name);
    this.#curve.add(done, value!);
  }
}

function liveBundle(widget: WidgetHandle<ProgressState>, state: ProgressState): MimeBundle {
  const display = (widget as unknown as Record<symbol, (() => MimeBundle) | undefined>)[DISPLAY];
  return { ...display?.call(widget), ...progressFallback(state) };
}
