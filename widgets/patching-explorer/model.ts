import type { MimeBundle, WidgetHandle, WidgetHost } from "../host.js";
import { NewestRun } from "../newest-run.js";
import { readAttributes, readState } from "../read-state.js";
import { encodeTensor } from "../tensor.js";
import { throttle } from "../throttle.js";
import { identityOf } from "../version.js";
import { checkChoices } from "./check.js";
import { placeOf, strongestCell } from "./effects.js";
import type { PatchingEngine } from "./engine.js";
import { explorerFallback } from "./fallback.js";
import {
  choiceNames,
  type Direction,
  type PatchingChoices,
  type PatchingExplorerState,
  type PatchingResult,
  type PatchingRun,
  patchingExplorerDefaults,
} from "./state.js";

export type { PatchingEngine, PatchingListener, PatchingSweep } from "./engine.js";
export type {
  Direction,
  MetricKind,
  NextTokens,
  PatchedPoint,
  PatchingChoices,
  PatchingExplorerState,
} from "./state.js";

/** What an explorer shows first; the reader can change all of it but the title. */
export interface PatchingExplorerOptions {
  /** A line above the controls. Default: none. */
  readonly title?: string;
  readonly clean: string;
  readonly corrupt: string;
  /** The token that follows the clean prompt. Default: empty, which a metric without answers does with. */
  readonly answer?: string;
  /** The token that follows the corrupt prompt. Default: empty. */
  readonly wrongAnswer?: string;
  /** Default: the engine's first kind. */
  readonly metric?: string;
  /** Default `denoising`. */
  readonly direction?: Direction;
  /** What is patched. Default: the engine's first point. */
  readonly at?: string;
  /** The axes of the table. Default: the point's first. */
  readonly over?: readonly string[];
  /** The cell whose next tokens are shown first, by its places. Default: the one with the largest effect. */
  readonly selected?: readonly number[];
}

/** A live patching explorer. */
export interface PatchingExplorer {
  readonly handle: WidgetHandle<PatchingExplorerState>;
  /** Resolves when nothing is being computed: the result is that of the present choices. */
  settled(): Promise<void>;
  /** What is shown where no widget runs. */
  fallback(): MimeBundle;
  /** Ends the widget and its work. */
  close(): void;
}

/** Progress is shown at most once in so many milliseconds. */
const updateInterval = 100;

/**
 * Opens a patching explorer: the reader edits the prompts, chooses what is patched, and looks at what each cell of the heat
 * map does to the next token. The newest choices win; what a failed or stopped sweep would have replaced stays.
 *
 * @example
 * const explorer = createPatchingExplorer(host, engine, { clean: "The nurse said that", corrupt: "The miner said that" });
 * await explorer.settled(); // a static picture of the explorer shows the map
 */
export function createPatchingExplorer(
  host: WidgetHost,
  engine: PatchingEngine,
  options: PatchingExplorerOptions,
): PatchingExplorer {
  const at = options.at ?? engine.points[0]?.at ?? "";
  const state: PatchingExplorerState = {
    ...patchingExplorerDefaults,
    title: options.title ?? "",
    points: engine.points,
    metrics: engine.metrics,
    clean: options.clean,
    corrupt: options.corrupt,
    answer: options.answer ?? "",
    wrong_answer: options.wrongAnswer ?? "",
    metric: options.metric ?? engine.metrics[0]?.kind ?? "",
    direction: options.direction ?? "denoising",
    at,
    over: options.over ?? engine.points.find((point) => point.at === at)?.grids[0] ?? [],
  };
  const handle = host.create(identityOf("PatchingExplorer"), state, explorerFallback);
  const kernelHalf = new KernelHalf(handle, engine, options.selected);
  return {
    handle,
    settled: () => kernelHalf.settled(),
    fallback: () => explorerFallback(readState(handle, patchingExplorerDefaults)),
    close: () => kernelHalf.close(),
  };
}

class KernelHalf {
  private readonly sweeps = new NewestRun((signal) => this.sweep(signal));
  private readonly looks = new NewestRun((signal) => this.look(signal));
  private readonly stops: (() => void)[];
  private count = 0;

  constructor(
    private readonly handle: WidgetHandle<PatchingExplorerState>,
    private readonly engine: PatchingEngine,
    private readonly first: readonly number[] | undefined,
  ) {
    this.stops = [
      handle.observe(({ name }) => {
        if ((choiceNames as readonly string[]).includes(name)) this.sweeps.schedule();
        if (name === "selected" || name === "result") this.looks.schedule();
      }),
      handle.onMessage((content) => {
        const method = (content as { method?: unknown } | null)?.method;
        if (method === "run") this.sweeps.schedule();
        if (method === "stop") this.sweeps.stop();
      }),
    ];
    this.sweeps.start();
  }

  async settled(): Promise<void> {
    await this.sweeps.settled();
    await this.looks.settled();
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.sweeps.close();
    this.looks.close();
    this.handle.close();
  }

  private async sweep(signal: AbortSignal): Promise<void> {
    const { handle, engine } = this;
    const given: PatchingChoices = readAttributes(handle, choiceNames);
    let run: PatchingRun = { status: "running", done: 0, total: 0, error: "" };
    const show = throttle(() => handle.set({ run }), updateInterval);
    handle.set({ run, tokens: { clean: this.tokens(given.clean), corrupt: this.tokens(given.corrupt) } });
    let news: Partial<PatchingExplorerState> = {};
    try {
      const choices = checkChoices(given, engine);
      const { metric, ...found } = await engine.sweep(choices, {
        signal,
        onProgress: (done, total) => {
          run = { ...run, done, total };
          if (!signal.aborted) show.soon();
        },
      });
      const wire = encodeTensor(
        metric,
        found.labels.map(({ length }) => length),
      );
      const result: PatchingResult = { ...found, id: ++this.count, choices, metric: wire };
      run = { ...run, status: signal.aborted || run.done < run.total ? "stopped" : "done" };
      news = { result, selected: this.kept(result) };
    } catch (error) {
      run = signal.aborted
        ? { ...run, status: "stopped" }
        : { ...run, status: "error", error: error instanceof Error ? error.message : String(error) };
    }
    show.cancel();
    if (signal.aborted && !this.sweeps.wasStopped) return; // overtaken sweeps say nothing more
    handle.set({ ...news, run });
  }

  /** The tokens of a text that a browser sent. */
  private tokens(text: unknown): string[] {
    if (typeof text !== "string" || text === "") return [];
    try {
      return this.engine.tokens(text);
    } catch {
      return []; // the sweep says what is wrong with it
    }
  }

  /** The cell that is looked at in a new result: the same one, where the map is of the same kind and size. */
  private kept(result: PatchingResult): number | null {
    const before = this.handle.get("result");
    const selected = this.handle.get("selected");
    const sizes = ({ choices, labels }: PatchingResult): string =>
      [choices.at, ...choices.over, ...labels.map(({ length }) => length)].join();
    if (before && selected !== null && sizes(before) === sizes(result)) return selected;
    if (!before && this.first) {
      const cell = this.first.reduce(
        (sum, place, axis) => sum * (result.labels[axis]?.length ?? 0) + place,
        0,
      );
      if (placeOf(result, cell).join() === this.first.join()) return cell;
    }
    return strongestCell(result);
  }

  /** Computes the next tokens of the selected cell, where the result does not hold those of all. */
  private async look(signal: AbortSignal): Promise<void> {
    const { handle, engine } = this;
    const [result, selected, known] = [handle.get("result"), handle.get("selected"), handle.get("cell")];
    if (!result || result.next || !isCellOf(result, selected)) return;
    if (known?.result === result.id && known.cell === selected && known.next) return;
    const answer = { result: result.id, cell: selected };
    try {
      const next = await engine.cell(result.choices, placeOf(result, selected), signal);
      if (!signal.aborted) handle.set({ cell: { ...answer, next, error: "" } });
    } catch (error) {
      if (signal.aborted) return;
      const sentence = error instanceof Error ? error.message : String(error);
      handle.set({ cell: { ...answer, next: null, error: sentence } });
    }
  }
}

const isCellOf = ({ labels }: PatchingResult, cell: unknown): cell is number =>
  Number.isInteger(cell) &&
  (cell as number) >= 0 &&
  (cell as number) < labels.reduce((product, { length }) => product * length, 1);
