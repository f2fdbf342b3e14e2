/** Linear probes: what can be read off a point by a linear map (Alain and Bengio 2016; Belinkov 2022). */

import { displaySymbol, type MimeBundle, type Tensor, tensor } from "../array/index.js";
import type { Model, ModelInput, PointName } from "../model/index.js";
import { barChart, type Plot } from "../plot/index.js";
import { type LogisticRegression, logisticRegression } from "./logistic.js";

/** Options of `probe`. */
export interface ProbeOptions {
  /** 0 or 1 for each input. */
  readonly labels: readonly number[];
  /** Where to read; the residual stream before each block and after the last one by default. */
  readonly points?: readonly PointName[];
  /** The position to read; the last by default. */
  readonly pos?: number;
  /** The share of the inputs, from the first on, that probes are fitted on; the others test them. Default 0.5. */
  readonly trainShare?: number;
  /** The inverse strength of the L2 penalty; 1 by default. */
  readonly c?: number;
  readonly signal?: AbortSignal;
}

/** Fitted probes. */
export interface Probes {
  /** The accuracy of each point's probe on the inputs that it was not fitted on, `[points]`, from 0 to 1. */
  readonly values: Tensor;
  readonly labels: { readonly points: readonly string[] };
  /** The probe of each point. */
  readonly probes: readonly LogisticRegression[];
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/**
 * Fits a logistic regression on each point's values at one position.
 *
 * @throws where labels and inputs differ in number, or one of the two parts has no input of some class
 * @example
 * ```ts
 * const texts = ["I am happy", "You are happy", "I am sad", "You are sad"];
 * const probes = await probe(model, texts, { labels: [1, 1, 0, 0], trainShare: 0.75 });
 * probes.values.shape; // one accuracy for each residual stream
 * ```
 */
export async function probe(model: Model, inputs: readonly string[], options: ProbeOptions): Promise<Probes> {
  const { labels, pos = -1, trainShare = 0.5, c, signal } = options;
  if (labels.length !== inputs.length)
    throw new Error(`There are ${inputs.length} inputs and ${labels.length} labels; each input has one.`);
  const { nLayers } = model.config;
  const points: readonly PointName[] = options.points ?? [
    ...Array.from({ length: nLayers }, (_, layer): PointName => ["resid_pre", layer]),
    ["resid_post", nLayers - 1],
  ];
  const names = points.map((point) => model.pointName(point));
  const [...texts] = inputs;
  const { cache } = await model.runWithCache(texts as ModelInput, { names, logits: "none", signal });
  const train = Math.round(inputs.length * trainShare);
  const probes: LogisticRegression[] = [];
  const accuracies = names.map((name) => {
    const x = atPosition(cache.get(name), pos);
    const fitted = logisticRegression(rows(x, 0, train), labels.slice(0, train), { c });
    probes.push(fitted);
    return fitted.accuracy(rows(x, train, inputs.length), labels.slice(train));
  });
  const plot = (): Plot =>
    barChart(accuracies, {
      labels: names,
      title: "What a linear probe reads",
      valueTitle: "accuracy",
      horizontal: true,
    });
  return {
    values: tensor(Float32Array.from(accuracies), [accuracies.length]),
    labels: { points: names },
    probes,
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}

/** One position of each row as a vector: `[batch, features]`. */
function atPosition(value: Tensor, pos: number): Tensor {
  const [batch, length, ...rest] = value.shape as [number, number, ...number[]];
  const at = pos < 0 ? pos + length : pos;
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new RangeError(`The probe reads position ${pos}, but the inputs have ${length} positions.`);
  const features = rest.reduce((product, n) => product * n, 1);
  const data = new Float32Array(batch * features);
  for (let row = 0; row < batch; row++) {
    const start = (row * length + at) * features;
    data.set(value.data.subarray(start, start + features), row * features);
  }
  return tensor(data, [batch, features]);
}

function rows(x: Tensor, from: number, to: number): Tensor {
  return x.hi(to, x.shape[1]!).lo(from, 0) as Tensor;
}
