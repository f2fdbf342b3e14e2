/** Which heads copy: by their weights alone, whether they raise the logits of the tokens that they attend to. */

import { contiguous, displaySymbol, type MimeBundle, type Tensor, tensor } from "../array/index.js";
import { FactoredMatrix, type Model, multiply } from "../model/index.js";
import { heatmap, type Plot } from "../plot/index.js";

/** Scores of all heads. */
export interface CopyingScores {
  /** `[layer, head]`, between −1 and 1. */
  readonly values: Tensor;
  /** The heads of the highest scores. */
  top(count?: number): { readonly layer: number; readonly head: number; readonly score: number }[];
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/**
 * The copying score of each head: `Σ Re(λ) / Σ |λ|` over the eigenvalues of its full OV circuit `W_E W_V W_O W_U`
 * (Elhage et al. 2021). Norm weights count where they were folded (`processing`).
 *
 * @example
 * ```ts
 * const scores = await copyingScores(model);
 * scores.top(1)[0]; // such as { layer: 1, head: 3, score: 0.98 }
 * ```
 */
export async function copyingScores(
  model: Model,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CopyingScores> {
  const { nLayers, nHeads } = model.config;
  const embed = model.weights.get("W_E").transpose(1, 0) as Tensor;
  const unembed = model.weights.get("W_U");
  if (unembed.shape[0] !== embed.shape[0])
    throw new Error("A projection stands between this model's embeddings and its residual stream.");
  // The eigenvalues of A B that are not zero are those of B A: of W_O (W_U W_E) W_V, a matrix of the head's width.
  const round = await multiply(contiguous(unembed), contiguous(embed), options.signal);
  const { A, B } = model.weights.get("OV");
  const values = new FactoredMatrix(A, new FactoredMatrix(B, round).AB).eigenvalueScore();
  const plot = (): Plot =>
    heatmap(values, {
      title: "Copying scores of heads",
      xTitle: "head",
      yTitle: "layer",
      valueTitle: "Σ Re λ / Σ |λ|",
      domain: [-1, 1],
      scale: "diverging",
      top: "last",
    });
  return {
    values: tensor(values.data, [nLayers, nHeads]),
    top: (count = 5) =>
      Array.from(values.data, (score, i) => ({ layer: Math.floor(i / nHeads), head: i % nHeads, score }))
        .sort((a, b) => b.score - a.score)
        .slice(0, count),
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}
