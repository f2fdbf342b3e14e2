/**
 * The logit lens (nostalgebraist 2020): what the model would say if it stopped after each layer, read by its own final
 * norm and unembedding.
 */

import { displaySymbol, type MimeBundle, softmax, type Tensor, tensor, topK } from "../array/index.js";
import type { Model, ModelInput, RunOptions } from "../model/index.js";
import { finalResidual } from "../model/names.js";
import { heatmap, type Plot } from "../plot/index.js";

/** Options of `logitLens`. */
export interface LogitLensOptions extends RunOptions {
  /** How many tokens are kept at each place; 5 by default. */
  readonly topK?: number;
}

/** What the lens saw, for the first row of the input. */
export interface LogitLens {
  /** The probability of the likeliest token, `[layer + 1, pos]`: before each block, and after the last. */
  readonly values: Tensor;
  /** The names of the residual streams (`"0_pre"`, …, `"final_post"`) and the tokens of the input. */
  readonly labels: { readonly layers: readonly string[]; readonly tokens: readonly string[] };
  /** The likeliest tokens at each place, `[layer + 1][pos][k]`. */
  readonly top: readonly (readonly (readonly LensToken[])[])[];
  /** The entropy of each distribution in nats, `[layer + 1, pos]`. */
  readonly entropy: Tensor;
  /** KL(final ‖ layer) in nats, `[layer + 1, pos]`. */
  readonly klToFinal: Tensor;
  /** The likeliest tokens as a table coloured by probability. */
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/** A token that the lens saw. */
export interface LensToken {
  readonly token: number;
  readonly text: string;
  readonly probability: number;
}

/**
 * Reads the residual stream before each block and after the last one by the final norm and the unembedding.
 *
 * @example
 * ```ts
 * const lens = await logitLens(model, "Mary and John went to the store. John gave a book to");
 * lens.top.at(-1)?.at(-1)?.[0].text; // such as " Mary"
 * ```
 */
export async function logitLens(
  model: Model,
  input: ModelInput,
  options: LogitLensOptions = {},
): Promise<LogitLens> {
  const { nLayers } = model.config;
  const streams = [
    ...Array.from({ length: nLayers }, (_, layer) => ({
      label: `${layer}_pre`,
      point: `blocks.${layer}.hook_resid_pre`,
    })),
    { label: "final_post", point: finalResidual(model.config) },
  ];
  const { outputs, tokens } = await model.compute(
    input,
    ({ point, unembed }) =>
      Object.fromEntries(streams.map(({ label, point: name }) => [label, unembed(point(name))])),
    { ...options, points: streams.map(({ point }) => point) },
  );
  const distributions = streams.map(({ label }) => softmax(outputs[label]!.pick(0, null, null) as Tensor));
  const labels = {
    layers: streams.map(({ label }) => label),
    tokens: tokens[0]!.map((id) => model.tokenText(id)),
  };
  const top = distributions.map((distribution) =>
    topK(distribution, Math.min(options.topK ?? 5, model.config.dVocab)).map(({ indices, values }) =>
      Array.from(indices, (token, i) => ({ token, text: model.tokenText(token), probability: values[i]! })),
    ),
  );
  const shape = [streams.length, labels.tokens.length];
  const table = (of: (distribution: Tensor, row: number) => number): Tensor =>
    tensor(Float32Array.from(distributions.flatMap((d) => labels.tokens.map((_, row) => of(d, row)))), shape);
  const values = tensor(
    Float32Array.from(top.flatMap((rows) => rows.map(([first]) => first!.probability))),
    shape,
  );
  const final = distributions.at(-1)!;
  const plot = (): Plot =>
    heatmap(values, {
      title: "Logit lens: the likeliest next token after each layer",
      cellTexts: top.map((rows) => rows.map(([first]) => first!.text)),
      xLabels: labels.tokens,
      yLabels: labels.layers,
      xTitle: "token",
      yTitle: "residual stream",
      valueTitle: "probability",
      domain: [0, 1],
      top: "last",
    });
  return {
    values,
    labels,
    top,
    entropy: table((d, row) => rowSum(d, row, (p) => (p > 0 ? -p * Math.log(p) : 0))),
    klToFinal: table((d, row) =>
      rowSum(final, row, (p, i) =>
        p > 0 ? p * (Math.log(p) - Math.log(Math.max(d.get(row, i), Number.MIN_VALUE))) : 0,
      ),
    ),
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}

function rowSum(distribution: Tensor, row: number, term: (p: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < distribution.shape[1]!; i++) sum += term(distribution.get(row, i), i);
  return sum;
}
