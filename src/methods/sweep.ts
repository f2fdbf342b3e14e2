/** What a sweep over the places of a model found: a table of one number for each place. */

import { displaySymbol, type MimeBundle, type Tensor, tensor } from "../array/index.js";
import { maxCells } from "../plot/heatmap.js";
import { heatmap, lineChart, type Plot } from "../plot/index.js";
import { alignedTable, numberText } from "../plot/text.js";

/**
 * What the cells of a sweep are counted by: `"pos"` is the position (the query, in patterns and scores), `"key"` the
 * position that is looked at, `"neuron"` a neuron of the MLP or a block of them.
 */
export type SweepAxis = "layer" | "pos" | "head" | "neuron" | "key";

/** One cell of a sweep. */
export interface SweepCell {
  /** Its place along each axis. */
  readonly index: readonly number[];
  /** What it is called along each axis. */
  readonly labels: readonly string[];
  /** The full name of the point that was changed; of several, that in the middle. */
  readonly point: string;
  /** The entry of `values`. */
  readonly value: number;
  /** The metric itself. */
  readonly metric: number;
}

/** Logits at the position that a metric reads: what the model says next there. */
export interface SweepLogits {
  /** Of the run with each cell changed, `[...over, batch, dVocab]`; NaN where a cell was not reached. */
  readonly cells: Tensor;
  /** Of the unchanged runs, `[batch, dVocab]`. */
  readonly clean?: Tensor;
  readonly corrupt?: Tensor;
}

/** What a sweep is made of. */
export interface SweepData {
  /** What was done, as a title. */
  readonly title: string;
  /** What `values` are, with their unit. */
  readonly valueTitle: string;
  /** The point that was changed, by its short name, such as `resid_pre`. */
  readonly at: string;
  /** The full name of the point that each cell changes, in the order of `values`. */
  readonly points: readonly string[];
  /** What each axis of `values` counts. */
  readonly over: readonly SweepAxis[];
  /** The names of the places along each axis, in the order of `over`: layers and heads by number, positions by token. */
  readonly labels: readonly (readonly string[])[];
  /**
   * A number for each cell, in the order of `over`; NaN where a cell was not reached. `valueTitle` says what it is: of
   * activation patching and path patching how much of the difference between the two runs a cell makes (0 is the corrupt run,
   * 1 the clean run), of ablation and causal tracing the metric itself, of attribution patching its estimated change.
   */
  readonly values: Tensor;
  /** The metric with that cell changed, in the metric's unit. */
  readonly metric: Tensor;
  /** The metric of the run that is changed. */
  readonly base: number;
  /** The metric on the clean and on the corrupt prompts, where there are such. */
  readonly clean?: number;
  readonly corrupt?: number;
  /** How many cells were evaluated; all but where the work was ended by a signal. */
  readonly done: number;
  /** Sentences on what is missing or doubtful; none by default. */
  readonly notes: readonly string[];
  /** Where they were asked for, the logits that the metric reads. */
  readonly logits?: SweepLogits;
}

/** Everything that a sweep is made of is its property. */
export interface Sweep extends SweepData {}

/** A table of one number for each place in a model, which can show itself. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor assigns every property
export class Sweep {
  constructor(data: SweepData) {
    Object.assign(this, data);
  }

  /** How many cells there are. */
  get total(): number {
    return this.values.data.length;
  }

  /** Whether every cell was evaluated. */
  get finished(): boolean {
    return this.done === this.total;
  }

  /**
   * The metric on a scale on which the corrupt run is 0 and the clean run is 1.
   *
   * @throws where one of the two is missing, or both have the same metric
   */
  get normalized(): Tensor {
    const { clean, corrupt } = this;
    if (clean === undefined || corrupt === undefined)
      throw new Error("A normalised metric needs a clean and a corrupt run; this sweep has one of them.");
    if (clean === corrupt)
      throw new Error(
        `The metric is ${numberText(clean)} on the clean and on the corrupt prompts alike, so there is no scale between them; read \`metric\` instead.`,
      );
    return onScale(this.metric, { clean, corrupt });
  }

  /** All cells, in the order of `values`. */
  get cells(): SweepCell[] {
    return Array.from({ length: this.total }, (_, i) => {
      const index = placeOf(i, this.values.shape);
      const labels = index.map((place, axis) => this.labels[axis]![place]!);
      const point = this.points[i]!;
      return { index, labels, point, value: this.values.data[i]!, metric: this.metric.data[i]! };
    });
  }

  /** The cells whose metric is farthest from that of the run that was changed, the farthest first; 10 by default. */
  top(count = 10): SweepCell[] {
    const effect = ({ metric }: SweepCell): number => Math.abs(metric - this.base);
    return this.cells
      .filter((cell) => Number.isFinite(cell.metric))
      .sort((a, b) => effect(b) - effect(a))
      .slice(0, count);
  }

  /** The cells with the largest effects as a table, shown in notebooks; 10 by default. */
  table(count = 10): { readonly rows: readonly SweepCell[]; [displaySymbol](): MimeBundle } {
    const rows = this.top(count);
    const head = [...this.over, this.valueTitle, "metric"];
    const cells = rows.map(({ labels, value, metric }) => [...labels, numberText(value), numberText(metric)]);
    const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
    return {
      rows,
      [displaySymbol]: () => ({
        "text/markdown": [
          line(head),
          line(head.map(() => "---")),
          ...cells.map((row) => line(row.map(markdown))),
        ].join("\n"),
        "text/plain": alignedTable([head, ...cells]),
      }),
    };
  }

  /** A heat map with layers from below; of more than two axes, all but the last stand together on the rows. */
  plot(): Plot {
    const { over, labels, values, valueTitle } = this;
    const title = [this.title, ...this.notes].join(". ");
    const [columns] = values.shape.slice(-1) as [number];
    if (over.length === 1)
      return lineChart(
        { [valueTitle]: Array.from(values.data) },
        { title, xTitle: over[0]!, yTitle: valueTitle },
      );
    const rows = labels
      .slice(0, -1)
      .reduce<string[]>(
        (before, names) => before.flatMap((a) => names.map((b) => (a === "" ? b : `${a} · ${b}`))),
        [""],
      );
    return heatmap(tensor(values.data, [rows.length, columns]), {
      title,
      valueTitle,
      xLabels: labels.at(-1)!,
      yLabels: rows,
      xTitle: over.at(-1)!,
      yTitle: over.slice(0, -1).join(" · "),
      top: "last",
    });
  }

  /** What notebooks show: the plot, or the table of the largest effects where there are too many cells to draw. */
  async [displaySymbol](): Promise<MimeBundle> {
    return this.total > maxCells ? this.table(20)[displaySymbol]() : this.plot()[displaySymbol]();
  }
}

/** A metric on the scale on which the corrupt run is 0 and the clean run is 1. */
export const onScale = (
  { data, shape }: Tensor,
  { clean, corrupt }: { readonly clean: number; readonly corrupt: number },
): Tensor =>
  tensor(
    data.map((value) => (value - corrupt) / (clean - corrupt)),
    shape,
  );

/** The place along each axis of a cell that is counted row by row. */
export function placeOf(cell: number, shape: readonly number[]): number[] {
  const place = shape.map(() => 0);
  for (let axis = shape.length - 1, rest = cell; axis >= 0; axis--) {
    place[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}

/** A text as it may stand in a cell of a Markdown table, spaces in front made visible. */
const markdown = (text: string): string =>
  text.replace(/[\\`*_{}[\]()#+!|<>&~$-]/g, (character) => `\\${character}`).replace(/^ /, "·");
