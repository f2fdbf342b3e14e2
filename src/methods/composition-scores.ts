/** How much heads read what earlier heads write, by their weights alone (Elhage et al. 2021). */

import { Matrix, QrDecomposition } from "ml-matrix";
import { contiguous, displaySymbol, type MimeBundle, type Tensor, tensor } from "../array/index.js";
import { type FactoredMatrix, type Model, multiply } from "../model/index.js";
import { heatmap, type Plot } from "../plot/index.js";

/** What of the later head reads the earlier one: its queries, its keys or its values. */
export type CompositionKind = "Q" | "K" | "V";

/** Scores of all pairs of heads. */
export interface CompositionScores {
  /** `[layer, head, laterLayer, laterHead]`; 0 where the later layer is not later. */
  readonly values: Tensor;
  /** The names of all heads, `"L0H0"`, …, in the order of both pairs of axes. */
  readonly labels: readonly string[];
  /** The pairs of the highest scores. */
  top(count?: number): { readonly from: string; readonly to: string; readonly score: number }[];
  /** A heat map: rows are the earlier heads, columns the later ones. */
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/**
 * The composition score of each pair of heads: `‖OV₁ X₂‖ / (‖OV₁‖ ‖X₂‖)` by Frobenius norms, where `X₂` is `QK` of the later
 * head for queries, its transpose for keys, and its `OV` for values. Norm weights count where they were folded
 * (`processing`); random matrices score about `1/√dModel`.
 *
 * @example
 * ```ts
 * const scores = await compositionScores(model, "K");
 * scores.top(1)[0]; // such as { from: "L0H3", to: "L1H4", score: 0.31 }
 * ```
 */
export async function compositionScores(
  model: Model,
  kind: CompositionKind,
  options: { readonly signal?: AbortSignal } = {},
): Promise<CompositionScores> {
  const { nLayers, nHeads, dHead } = model.config;
  const writes = model.weights.get("OV");
  const reads = kind === "V" ? writes : kind === "Q" ? model.weights.get("QK") : model.weights.get("QK").T;
  const outputs = narrowed(writes);
  const inputs = narrowed(reads.T); // rows are the directions that the later head reads
  const norms = [writes, reads].map((matrix) => matrix.norm().data) as [Float32Array, Float32Array];
  const values = new Float32Array((nLayers * nHeads) ** 2);
  const size = nHeads * dHead * model.config.dModel;
  const layerOf = (x: Float32Array, layer: number): Tensor =>
    tensor(x.subarray(layer * size, (layer + 1) * size), [nHeads * dHead, model.config.dModel]);
  for (let earlier = 0; earlier < nLayers; earlier++)
    for (let later = earlier + 1; later < nLayers; later++) {
      const products = await multiply(layerOf(outputs, earlier), layerOf(inputs, later), options.signal);
      const squares = blockSquares(products, nHeads, dHead);
      for (let a = 0; a < nHeads; a++)
        for (let b = 0; b < nHeads; b++) {
          const [from, to] = [earlier * nHeads + a, later * nHeads + b];
          const scale = norms[0][from]! * norms[1][to]!;
          values[from * nLayers * nHeads + to] =
            scale === 0 ? 0 : Math.sqrt(squares[a * nHeads + b]!) / scale;
        }
    }
  const labels = Array.from(
    { length: nLayers * nHeads },
    (_, i) => `L${Math.floor(i / nHeads)}H${i % nHeads}`,
  );
  const count = labels.length;
  const plot = (): Plot =>
    heatmap(tensor(values, [count, count]), {
      title: `${kind}-composition`,
      xLabels: labels,
      yLabels: labels,
      xTitle: "later head",
      yTitle: "earlier head",
      valueTitle: "score",
    });
  return {
    values: tensor(values, [nLayers, nHeads, nLayers, nHeads]),
    labels,
    top: (most = 5) =>
      Array.from(values, (score, i) => ({
        from: labels[Math.floor(i / count)]!,
        to: labels[i % count]!,
        score,
      }))
        .sort((a, b) => b.score - a.score)
        .slice(0, most),
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}

/**
 * `R B [layer, head, dHead, dModel]` with `A = Q R`: the product `A B` without the orthonormal columns of `Q`, which do
 * not change norms of what it is multiplied with on the right.
 */
function narrowed({ A, B }: FactoredMatrix): Float32Array {
  const [dModel, dHead] = A.shape.slice(-2) as [number, number];
  const heads = A.data.length / (dModel * dHead);
  const result = new Float32Array(heads * dHead * dModel);
  const matrixAt = (x: Tensor, rows: number, columns: number, i: number): Matrix =>
    Matrix.from1DArray(
      rows,
      columns,
      Array.from(x.data.subarray(i * rows * columns, (i + 1) * rows * columns)),
    );
  for (let i = 0; i < heads; i++) {
    const triangle = new QrDecomposition(matrixAt(A, dModel, dHead, i)).upperTriangularMatrix;
    result.set(triangle.mmul(matrixAt(B, dHead, dModel, i)).to1DArray(), i * dHead * dModel);
  }
  return result;
}

/** The sums of squares of the blocks `[dHead, dHead]` of a matrix. */
function blockSquares(matrix: Tensor, heads: number, dHead: number): Float64Array {
  const { data } = contiguous(matrix);
  const width = heads * dHead;
  const sums = new Float64Array(heads * heads);
  for (let i = 0; i < data.length; i++) {
    const block = Math.floor(i / width / dHead) * heads + Math.floor((i % width) / dHead);
    sums[block]! += data[i]! * data[i]!;
  }
  return sums;
}
