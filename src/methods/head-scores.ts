/**
 * What attention heads do on repeated random tokens (Olsson et al. 2022, "In-context Learning and Induction Heads").
 */

import { displaySymbol, type MimeBundle, randomGenerator, type Tensor, tensor } from "../array/index.js";
import type { Model } from "../model/index.js";
import { heatmap, type Plot } from "../plot/index.js";

/** What is scored: where a head looks from a token of the second half, relative to that token. */
export type HeadRole = "previousToken" | "duplicateToken" | "induction";

/** Options of `headScores`. */
export interface HeadScoresOptions {
  /** Sequences; 16 by default. */
  readonly batch?: number;
  /** Random tokens, which are then repeated; 25 by default. */
  readonly length?: number;
  /** The tokens to draw from; all but the special ones by default. */
  readonly vocabulary?: readonly number[];
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** Scores of all heads. */
export interface HeadScores {
  /** `[role, layer, head]`: the mean attention, between 0 and 1. */
  readonly values: Tensor;
  readonly labels: { readonly roles: readonly HeadRole[] };
  /** The scores of one role, `[layer, head]`. */
  score(role: HeadRole): Tensor;
  /** The heads of the highest scores. */
  top(
    role: HeadRole,
    count?: number,
  ): { readonly layer: number; readonly head: number; readonly score: number }[];
  /** The mean loss of the first and of the second half in nats: the second is low where induction works. */
  readonly loss: { readonly first: number; readonly second: number };
  /** A heat map of one role; induction by default. */
  plot(role?: HeadRole): Plot;
  [displaySymbol](): Promise<MimeBundle>;
}

const roles: readonly HeadRole[] = ["previousToken", "duplicateToken", "induction"];

/**
 * Scores every head on random tokens that come twice: the mean attention from the tokens of the second half to the
 * token before (`previousToken`), to the same token in the first half (`duplicateToken`), and to the token that
 * followed it there (`induction`).
 *
 * @example
 * ```ts
 * const scores = await headScores(model, { seed: 1 });
 * scores.top("induction", 1)[0].score; // such as 0.93
 * ```
 */
export async function headScores(model: Model, options: HeadScoresOptions = {}): Promise<HeadScores> {
  const { batch = 16, length = 25, seed = 0, signal } = options;
  const { nLayers, nHeads, dVocab, bosToken, eosTokens } = model.config;
  const special = new Set([bosToken, ...eosTokens]);
  const vocabulary =
    options.vocabulary ?? Array.from({ length: dVocab }, (_, id) => id).filter((id) => !special.has(id));
  const random = randomGenerator(seed);
  const tokens = Array.from({ length: batch }, () => {
    const half = Array.from({ length }, () => random.choice(vocabulary));
    return [...half, ...half];
  });
  const { cache } = await model.runWithCache(tokens, { names: /hook_pattern$/, logits: "none", signal });
  const offset: Record<HeadRole, number> = {
    previousToken: 1,
    duplicateToken: length,
    induction: length - 1,
  };
  const values = new Float32Array(roles.length * nLayers * nHeads);
  roles.forEach((role, r) => {
    for (let layer = 0; layer < nLayers; layer++) {
      const pattern = cache.get("pattern", layer);
      for (let head = 0; head < nHeads; head++) {
        let sum = 0;
        for (let row = 0; row < batch; row++)
          for (let query = length; query < 2 * length; query++)
            sum += pattern.get(row, head, query, query - offset[role]);
        values[(r * nLayers + layer) * nHeads + head] = sum / (batch * length);
      }
    }
  });
  const table = tensor(values, [roles.length, nLayers, nHeads]);
  const score = (role: HeadRole): Tensor => table.pick(roles.indexOf(role), null, null) as Tensor;
  const plot = (role: HeadRole = "induction"): Plot =>
    heatmap(score(role), {
      title: `Attention of each head: ${role}`,
      xTitle: "head",
      yTitle: "layer",
      valueTitle: "mean attention",
      domain: [0, 1],
      top: "last",
    });
  return {
    values: table,
    labels: { roles },
    score,
    top: (role, count = 5) => topHeads(score(role), count),
    loss: await halves(model, tokens, length, signal),
    plot,
    [displaySymbol]: () => plot()[displaySymbol](),
  };
}

function topHeads(scores: Tensor, count: number): { layer: number; head: number; score: number }[] {
  const [layers, heads] = scores.shape as [number, number];
  return Array.from({ length: layers * heads }, (_, i) => {
    const [layer, head] = [Math.floor(i / heads), i % heads];
    return { layer, head, score: scores.get(layer, head) };
  })
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

/** The mean loss of the tokens of each half, the first prediction of each left out. */
async function halves(
  model: Model,
  tokens: readonly (readonly number[])[],
  length: number,
  signal: AbortSignal | undefined,
): Promise<{ first: number; second: number }> {
  const losses = await model.loss(tokens, { perToken: true, signal });
  const mean = (from: number, to: number): number => {
    let sum = 0;
    for (let row = 0; row < tokens.length; row++) for (let i = from; i < to; i++) sum += losses.get(row, i);
    return sum / (tokens.length * (to - from));
  };
  // Entry i is the loss of token i + 1; the first token of the second half cannot be known yet.
  return { first: mean(0, length - 1), second: mean(length, 2 * length - 1) };
}
