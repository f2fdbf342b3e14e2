import type { MimeBundle, WidgetHandle, WidgetHost } from "../host.js";
import { NewestRun } from "../newest-run.js";
import { readAttributes, readState } from "../read-state.js";
import { throttle } from "../throttle.js";
import { identityOf } from "../version.js";
import { checkChoices } from "./check.js";
import type { SteeringEngine } from "./engine.js";
import { steeringFallback } from "./fallback.js";
import {
  choiceNames,
  type Direction,
  type Positions,
  type SteeringChoices,
  type SteeringControlsState,
  type SteeringResult,
  steeringControlsDefaults,
} from "./state.js";

export type { SteeringEngine, SteeringListener, SteeringRequest } from "./engine.js";
export type {
  Direction,
  DirectionField,
  DirectionKind,
  NextToken,
  Positions,
  SteeringControlsState,
} from "./state.js";

/** What steering controls show first; the reader can change all of it but the title and the slider's range. */
export interface SteeringControlsOptions {
  /** A line above the controls. Default: none. */
  readonly title?: string;
  /** Default: empty, and nothing runs until there is one. */
  readonly prompt?: string;
  /** Default: the engine's middle point. */
  readonly point?: string;
  /** Default: the engine's first kind with its fields' own values. */
  readonly direction?: Direction;
  /** Default 0. */
  readonly coefficient?: number;
  /** Ends of the slider. Default [-10, 10]. */
  readonly coefficientRange?: readonly [number, number];
  /** Default 0.5. */
  readonly coefficientStep?: number;
  /** Default `all`. */
  readonly positions?: Positions;
  /** Default 20. */
  readonly maxNewTokens?: number;
  /** The largest number of new tokens that the reader may ask for. Default 200. */
  readonly tokenLimit?: number;
  /** Default 0: greedy. */
  readonly temperature?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Live steering controls. */
export interface SteeringControls {
  readonly handle: WidgetHandle<SteeringControlsState>;
  /** Resolves when no run is going: the result is that of the present choices. */
  settled(): Promise<void>;
  /** What is shown where no widget runs. */
  fallback(): MimeBundle;
  /** Ends the widget and its work. */
  close(): void;
}

/** Tokens are shown at most once in so many milliseconds: front ends drop what comes faster than they can draw. */
const updateInterval = 50;

/**
 * Opens steering controls: the reader turns a coefficient and sees the continuation change. The newest choices win:
 * a run that they overtake is aborted, and what came between is never run.
 *
 * @example
 * const controls = createSteeringControls(host, engine, { prompt: "I think that", coefficient: 4 });
 * await controls.settled(); // the first run is over: a static picture of the controls shows its text
 */
export function createSteeringControls(
  host: WidgetHost,
  engine: SteeringEngine,
  options: SteeringControlsOptions = {},
): SteeringControls {
  const [firstKind] = engine.directions;
  const state: SteeringControlsState = {
    ...steeringControlsDefaults,
    title: options.title ?? "",
    points: [...engine.points],
    kinds: engine.directions,
    prompt: options.prompt ?? "",
    point: options.point ?? engine.points[Math.floor(engine.points.length / 2)] ?? "",
    direction: options.direction ?? {
      kind: firstKind?.kind ?? "",
      values: Object.fromEntries((firstKind?.fields ?? []).map(({ name, value }) => [name, value ?? ""])),
    },
    coefficient: options.coefficient ?? 0,
    coefficient_range: options.coefficientRange ?? steeringControlsDefaults.coefficient_range,
    coefficient_step: options.coefficientStep ?? steeringControlsDefaults.coefficient_step,
    positions: options.positions ?? "all",
    max_new_tokens: options.maxNewTokens ?? steeringControlsDefaults.max_new_tokens,
    token_limit: options.tokenLimit ?? steeringControlsDefaults.token_limit,
    temperature: options.temperature ?? 0,
    seed: options.seed ?? 0,
  };
  const handle = host.create(identityOf("SteeringControls"), state, steeringFallback);
  const kernelHalf = new KernelHalf(handle, engine);
  return {
    handle,
    settled: () => kernelHalf.settled(),
    fallback: () => steeringFallback(readState(handle, steeringControlsDefaults)),
    close: () => kernelHalf.close(),
  };
}

class KernelHalf {
  private readonly newest = new NewestRun((signal) => this.runOnce(signal));
  private runs = 0;
  private readonly stops: (() => void)[];

  constructor(
    private readonly handle: WidgetHandle<SteeringControlsState>,
    private readonly engine: SteeringEngine,
  ) {
    this.stops = [
      handle.observe(({ name }) => {
        if ((choiceNames as readonly string[]).includes(name)) this.newest.schedule();
      }),
      handle.onMessage((content) => {
        const method = (content as { method?: unknown } | null)?.method;
        if (method === "run") this.newest.schedule();
        if (method === "stop") this.newest.stop();
      }),
    ];
    if (handle.get("prompt") !== "") this.newest.start();
  }

  settled(): Promise<void> {
    return this.newest.settled();
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.newest.close();
    this.handle.close();
  }

  private async runOnce(signal: AbortSignal): Promise<void> {
    const { handle, engine } = this;
    const choices: SteeringChoices = readAttributes(handle, choiceNames);
    const previous = handle.get("result");
    let result: SteeringResult = {
      run: ++this.runs,
      choices,
      status: "running",
      unsteered: [],
      steered: [],
      next: previous?.next ?? [],
      error: "",
    };
    const show = throttle(() => handle.set({ result }), updateInterval);
    const change = (patch: Partial<SteeringResult>): void => {
      if (signal.aborted) return;
      result = { ...result, ...patch };
      show.soon();
    };
    try {
      const request = checkChoices(choices, engine, handle.get("token_limit"));
      await engine.steer(request, {
        signal,
        onNext: (next) =>
          change({ next: next.map(({ token, unsteered, steered }) => ({ token, unsteered, steered })) }),
        onTokens: ({ unsteered, steered }) =>
          change({
            unsteered: unsteered === null ? result.unsteered : [...result.unsteered, unsteered],
            steered: steered === null ? result.steered : [...result.steered, steered],
          }),
      });
      change({ status: "done" });
    } catch (error) {
      change({ status: "error", error: error instanceof Error ? error.message : String(error) });
    }
    if (!signal.aborted) show.now();
    else show.cancel();
    // Overtaken runs say nothing more; one that the reader stopped keeps what it has shown.
    if (signal.aborted && this.newest.wasStopped) handle.set({ result: { ...result, status: "stopped" } });
  }
}
