/** What each part of a model adds to logits by itself, past everything that reads it. */

import { displaySymbol, type MimeBundle, type Tensor, tensor } from "../array/index.js";
import type { Model, ModelInput, ResidualStack, RunOptions } from "../model/index.js";
import { barChart, heatmap, type Plot } from "../plot/index.js";

/** Options of `directLogitAttribution`. */
export interface DirectLogitAttributionOptions extends RunOptions {
  /** The token whose logit is attributed: one for all rows, or one for each; ids or texts. */
  readonly correct: number | string | readonly (number | string)[];
  /** The token whose logit is subtracted. */
  readonly incorrect?: number | string | readonly (number | string)[];
  /** The position; the last by default. Negative ones count from the end. */
  readonly pos?: number;
  /**
   * What is attributed to: embeddings and layers (`"component"`, the default), single heads (`"head"`), or the residual
   * stream as it grows (`"accumulated"`, the logit lens of the difference).
   */
  readonly over?: "component" | "head" | "accumulated";
}

/** What each part adds. */
export interface DirectLogitAttribution {
  /** Averaged over rows: `[component]`, or `[layer, head]` for heads. */
  readonly values: Tensor;
  /** The names of the parts, in the order of `values` read row by row. */
  readonly labels: readonly string[];
  /** What no part adds: of the biases of the final norm and of the unembedding. */
  readonly bias: number;
  /** For heads: what everything else adds. */
  readonly remainder?: number;
  /** The logit, or the difference of logits, that all of it adds up to. */
  readonly total: number;
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/**
 * Direct logit attribution: the final norm's scale is held at that of the run, so logits are a sum over parts of the
 * residual stream (Elhage et al. 2021). `values`, `bias` and `remainder` add up to `total`.
 *
 * @throws for models whose logits are capped: they are no sum
 * @example
 * ```ts
 * const heads = await directLogitAttribution(model, text, { correct: " Mary", incorrect: " John", over: "head" });
 * heads.values.get(2, 5); // of layer 2, head 5
 * ```
 */
export async function directLogitAttribution(
  model: Model,
  input: ModelInput,
  options: DirectLogitAttributionOptions,
): Promise<DirectLogitAttribution> {
  const { correct, incorrect, pos = -1, over = "component", ...run } = options;
  const { nLayers, nHeads } = model.config;
  if (model.config.logitCap !== undefined)
    throw new Error(
      "The logits of this model are capped by a hyperbolic tangent, so they are no sum of parts.",
    );
  const { cache } = await model.runWithCache(input, run);
  const stack: ResidualStack = {
    component: () => cache.decomposeResid({ pos }),
    head: () => cache.stackHeadResults({ pos, inclRemainder: true }),
    accumulated: () => cache.accumulatedResid({ pos }),
  }[over]();
  const choice = { tokens: correct, ...(incorrect === undefined ? {} : { incorrectTokens: incorrect }) };
  const byRow = cache.logitAttrs(stack, choice); // [component, batch]
  const batch = byRow.shape[1]!;
  const means = Float32Array.from(stack.labels, (_, i) => {
    let sum = 0;
    for (let row = 0; row < batch; row++) sum += byRow.get(i, row);
    return sum / batch;
  });
  const bias = cache.logitBias(choice).reduce((sum, value) => sum + value / batch, 0);
  const labels = over === "head" ? stack.labels.slice(0, -1) : stack.labels;
  const remainder = over === "head" ? means.at(-1)! : undefined;
  const shape = over === "head" ? [nLayers, nHeads] : [labels.length];
  const values = tensor(means.slice(0, labels.length), shape);
  const last = over === "accumulated" ? means.at(-1)! : means.reduce((sum, value) => sum + value, 0);
  const shown = incorrect === undefined ? "logit" : "logit difference";
  const plot = (): Plot =>
    over === "head"
      ? heatmap(values, {
          title: `Direct attribution of the ${shown} to heads`,
          xTitle: "head",
          yTitle: "layer",
          valueTitle: shown,
          scale: "diverging",
          top: "last",
        })
      : barChart(values.data, { title: `Direct attribution of the ${shown}`, labels, valueTitle: shown });
  return {
    values,
    labels,
    bias,
    ...(remainder === undefined ? {} : { remainder }),
    total: last + bias,
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}
