import type {
  PatchingChoices,
  PatchingEngine,
  PatchingSweep,
} from "../../widgets/patching-explorer/model.js";
import { encodeTensor } from "../../widgets/tensor.js";

/** A sweep that the engine has been asked for, which the test ends. */
export interface AskedSweep {
  readonly choices: PatchingChoices;
  readonly signal: AbortSignal;
  progress(done: number): void;
  finish(sweep?: Partial<PatchingSweep>): void;
  fail(message: string): void;
}

export const hostile = " <img src=x onerror=window.attacked=true>";
const layers = 3;

/**
 * Splits texts at spaces, and says that the last layer's effect at position p is p / 10 and that of others none. Next tokens
 * are ` she`, ` he` and a hostile one.
 */
export class WordPatching implements PatchingEngine {
  readonly points = [
    {
      at: "resid_pre",
      grids: [
        ["layer", "pos"],
        ["layer", "head", "pos"],
      ],
    },
    { at: "z", grids: [["layer", "head"]] },
  ];
  readonly metrics = [
    { kind: "logitDiff", label: "logit difference", answers: 2 as const },
    { kind: "logProb", label: "log probability", answers: 1 as const },
    { kind: "given", label: "the given metric", answers: 0 as const },
  ];
  readonly asked: AskedSweep[] = [];
  readonly cells: number[][] = [];
  /** Whether sweeps wait for the test to end them. */
  waits = false;
  /** Whether results hold the next tokens of all cells. */
  keeps = true;
  going = 0;
  most = 0;

  tokens(text: string): string[] {
    return text.split(/(?= )/);
  }

  async sweep(
    choices: PatchingChoices,
    { onProgress, signal }: Parameters<PatchingEngine["sweep"]>[1],
  ): Promise<PatchingSweep> {
    this.most = Math.max(this.most, ++this.going);
    const [clean, corrupt] = [this.tokens(choices.clean), this.tokens(choices.corrupt)];
    const labels = choices.over.map((axis) =>
      axis === "pos" ? clean : Array.from({ length: axis === "head" ? 2 : layers }, (_, i) => String(i)),
    );
    const total = labels.reduce((product, { length }) => product * length, 1);
    const columns = labels.at(-1)!.length;
    const metric = Float32Array.from({ length: total }, (_, cell) =>
      cell >= total - columns ? -1 + 2 * ((cell % columns) / 10) : -1,
    );
    const whole: PatchingSweep = {
      labels,
      metric,
      clean: 1,
      corrupt: -1,
      notes: [],
      next: this.keeps ? this.next(Array.from(metric)) : null,
    };
    try {
      return await new Promise<PatchingSweep>((resolve, reject) => {
        const asked: AskedSweep = {
          choices,
          signal,
          progress: (done) => onProgress(done, total),
          finish: (part = {}) => resolve({ ...whole, ...part }),
          fail: (message) => reject(new Error(message)),
        };
        this.asked.push(asked);
        if (clean.length !== corrupt.length)
          asked.fail(
            `Clean prompt 0 has ${clean.length} tokens and its corrupt prompt ${corrupt.length}: their positions must correspond, so choose words of equally many tokens.`,
          );
        else if (!this.waits) {
          asked.progress(total);
          asked.finish();
        }
      });
    } finally {
      this.going--;
    }
  }

  async cell(_choices: PatchingChoices, place: readonly number[]) {
    this.cells.push([...place]);
    return this.next([place.at(-1)! / 10]);
  }

  /** ` she` is likelier the larger the metric. */
  private next(metrics: readonly number[]) {
    const tokens = [" she", " he", hostile];
    const row = (metric: number): number[] => [0.5 + metric / 4, 0.4 - metric / 4, 0.1];
    return {
      tokens,
      clean: encodeTensor(Float32Array.from(row(1)), [3]),
      corrupt: encodeTensor(Float32Array.from(row(-1)), [3]),
      patched: encodeTensor(Float32Array.from(metrics.flatMap(row)), [metrics.length, 3]),
    };
  }
}
