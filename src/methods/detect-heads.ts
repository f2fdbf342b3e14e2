/** TransformerLens's head detector: how much a head's attention is like a pattern that is looked for. */

import { displaySymbol, type MimeBundle, shapeText, type Tensor, tensor } from "../array/index.js";
import type { Model, ModelInput } from "../model/index.js";
import { heatmap, type Plot } from "../plot/index.js";

/** A kind of head, by the pattern that it is recognised by. */
export type HeadKind = "previousToken" | "duplicateToken" | "induction";

/** Options of `detectHeads`. */
export interface DetectHeadsOptions {
  /** Leaves out attention to the first token; `false` by default. */
  readonly excludeBos?: boolean;
  /** Leaves out attention of a token to itself; `false` by default. */
  readonly excludeCurrentToken?: boolean;
  /**
   * `"mul"` (the default): the share of the attention that falls on the pattern. `"abs"`: 1 minus the mean over queries of
   * `Σ |attention − pattern|`, which may be negative.
   */
  readonly errorMeasure?: "mul" | "abs";
  readonly signal?: AbortSignal;
}

/** Scores of all heads. */
export interface DetectedHeads {
  /** `[layer, head]` */
  readonly values: Tensor;
  /** The names of the heads of each layer. */
  readonly labels: { readonly layers: readonly string[]; readonly heads: readonly string[] };
  /** What was looked for, `[query, key]`. */
  readonly pattern: Tensor;
  plot(): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

/**
 * Scores every head on one text by TransformerLens's `detect_head` (its `"abs"` scores are rounded to three decimals; these
 * are not). For scores on random repeated tokens see `headScores`.
 *
 * @param pattern a kind of head, or the attention that is looked for, `[query, key]`, with nothing above the diagonal
 * @example
 * ```ts
 * const found = await detectHeads(model, "one two three one two three", "induction");
 * found.values.get(1, 3); // of layer 1, head 3
 * ```
 */
export async function detectHeads(
  model: Model,
  input: ModelInput,
  pattern: HeadKind | Tensor,
  options: DetectHeadsOptions = {},
): Promise<DetectedHeads> {
  const { excludeBos = false, excludeCurrentToken = false, errorMeasure = "mul", signal } = options;
  const { nLayers, nHeads } = model.config;
  const { cache } = await model.runWithCache(input, {
    names: /attn\.hook_pattern$/,
    logits: "none",
    ...(signal ? { signal } : {}),
  });
  if (cache.tokens.length !== 1)
    throw new Error(`One text is scored at a time; ${cache.tokens.length} came.`);
  const tokens = cache.tokens[0]!;
  const wanted = typeof pattern === "string" ? patternOf(pattern, tokens) : checked(pattern, tokens.length);
  const skipped = (query: number, key: number): boolean =>
    (excludeBos && key === 0) || (excludeCurrentToken && key === query);
  const values = new Float32Array(nLayers * nHeads);
  for (let layer = 0; layer < nLayers; layer++) {
    const attention = cache.get("pattern", layer);
    for (let head = 0; head < nHeads; head++) {
      let onPattern = 0;
      let total = 0;
      let difference = 0;
      for (let query = 0; query < tokens.length; query++)
        for (let key = 0; key <= query; key++) {
          if (skipped(query, key)) continue;
          const value = attention.get(0, head, query, key);
          onPattern += value * wanted.get(query, key);
          total += value;
          difference += Math.abs(value - wanted.get(query, key));
        }
      values[layer * nHeads + head] =
        errorMeasure === "mul" ? (total === 0 ? 0 : onPattern / total) : 1 - difference / tokens.length;
    }
  }
  const labels = {
    layers: Array.from({ length: nLayers }, (_, layer) => `L${layer}`),
    heads: Array.from({ length: nHeads }, (_, head) => `H${head}`),
  };
  const table = tensor(values, [nLayers, nHeads]);
  const plot = (): Plot =>
    heatmap(table, {
      title: `Heads like the pattern ${typeof pattern === "string" ? pattern : "given"}`,
      xLabels: labels.heads,
      yLabels: labels.layers,
      xTitle: "head",
      yTitle: "layer",
      valueTitle: errorMeasure === "mul" ? "share of attention" : "1 − mean difference",
      top: "last",
    });
  return { values: table, labels, pattern: wanted, plot, [displaySymbol]: () => plot()[displaySymbol]() };
}

function patternOf(kind: HeadKind, tokens: readonly number[]): Tensor {
  const rules: Record<HeadKind, (query: number, key: number) => boolean> = {
    previousToken: (query, key) => key === query - 1,
    duplicateToken: (query, key) => key < query && tokens[key] === tokens[query],
    induction: (query, key) => key > 0 && key - 1 < query && tokens[key - 1] === tokens[query],
  };
  if (!Object.hasOwn(rules, kind))
    throw new Error(`There is no pattern "${kind}"; known are ${Object.keys(rules).join(", ")}.`);
  const size = tokens.length;
  const data = new Float32Array(size * size);
  for (let query = 0; query < size; query++)
    for (let key = 0; key <= query; key++) if (rules[kind](query, key)) data[query * size + key] = 1;
  return tensor(data, [size, size]);
}

function checked(pattern: Tensor, size: number): Tensor {
  if (pattern.shape.length !== 2 || pattern.shape.some((length) => length !== size))
    throw new Error(
      `The pattern must be [query, key] = [${size}, ${size}] for this text; it is ${shapeText(pattern.shape)}.`,
    );
  for (let query = 0; query < size; query++)
    for (let key = query + 1; key < size; key++)
      if (pattern.get(query, key) !== 0)
        throw new Error(`The pattern looks at position ${key} from ${query}, which is before it.`);
  return pattern;
}
