/** What must hold inside a model of any family, by its own configuration. */

import { contiguous, randomGenerator, type Tensor, tensor } from "../../src/array/index.js";
import type { ActivationCache, Model } from "../../src/model/index.js";
import { scaledError, Worst } from "./reference.js";

/** Rows of token ids that a model knows. */
export function someTokens(model: Model, rows: number, length: number, seed = 1): number[][] {
  const random = randomGenerator(seed);
  const row = (): number[] => Array.from({ length }, () => 1 + random.integer(model.config.dVocab - 1));
  return Array.from({ length: rows }, row);
}

/** What goes with the source of a model of two stacks: what its decoder has written. */
export const target = ({ config: { encoder } }: Model, tokens: number[][]): { decoderInput?: number[][] } =>
  encoder ? { decoderInput: tokens.map((row) => [encoder.startToken, ...row.slice(0, 4)]) } : {};

const sumOf = (...parts: Tensor[]): Tensor => {
  const all = parts.map((part) => contiguous(part).data);
  return tensor(
    all[0]!.map((_, i) => all.reduce((sum, data) => sum + data[i]!, 0)),
    parts[0]!.shape,
  );
};

/** The logits are the same with every point apart, with those that runs keep by default, and with none. */
export async function watchedError(model: Model, tokens: number[][]): Promise<Worst> {
  const worst = new Worst();
  const options = target(model, tokens);
  const plain = await model.forward(tokens, options);
  const all = await model.runWithCache(tokens, { ...options, names: model.hookNames });
  worst.add("all points by name", scaledError(all.logits, plain, 1));
  const usual = await model.runWithCache(tokens, options);
  worst.add("points by default", scaledError(usual.logits, plain, 1));
  for (const name of usual.cache.names)
    worst.add(name, scaledError(usual.cache.get(name), all.cache.get(name), 1));
  return worst;
}

/** The residual stream is the sum that the family says, pattern · v = z, and the heads' results make up what is added. */
export async function arithmeticError(model: Model, tokens: number[][]): Promise<Worst> {
  const worst = new Worst();
  const { cache } = await model.runWithCache(tokens, target(model, tokens));
  const { nLayers, parallel, normPlacement } = model.config;
  const after = normPlacement === "after";
  if (model.config.encoder) return stacksError(model, cache);
  for (let layer = 0; layer < nLayers; layer++) {
    const at = (name: string): Tensor => cache.get(name, layer);
    const close = (what: string, a: Tensor, b: Tensor): void =>
      worst.add(`${what} ${layer}`, scaledError(a, b, 1));
    if (model.config.stateSpace) {
      close("resid_post", sumOf(at("resid_pre"), at("mixer_out")), at("resid_post"));
      continue;
    }
    if (parallel)
      close("resid_post", sumOf(at("resid_pre"), at("attn_out"), at("mlp_out")), at("resid_post"));
    else {
      close("resid_mid", sumOf(at("resid_pre"), at("attn_out")), at("resid_mid"));
      const between = at(after ? "normalized_resid_mid" : "resid_mid");
      close("resid_post", sumOf(between, at("mlp_out")), at("resid_post"));
    }
    if (layer > 0)
      close(
        "resid_pre",
        cache.get(after ? "normalized_resid_post" : "resid_post", layer - 1),
        at("resid_pre"),
      );
    close("z", mixed(model, at("pattern"), at("v")), at("z"));
    worst.add(`pattern ${layer}`, patternError(model, at("pattern"), layer));
    if (normPlacement === "before" && !cache.has("scale", layer, "ln1_post") && !model.config.residualScale)
      close("attn_out", await resultsSum(model, cache, layer, tokens), at("attn_out"));
  }
  return worst;
}

/** The sums in both stacks of an encoder and a decoder. */
function stacksError({ config }: Model, cache: ActivationCache): Worst {
  const worst = new Worst();
  const stacks = { encoder: config.encoder!.nLayers, decoder: config.nLayers };
  for (const [stack, count] of Object.entries(stacks))
    for (let layer = 0; layer < count; layer++) {
      const at = (name: string): Tensor => cache.get(`${stack}.${layer}.hook_${name}`);
      const close = (what: string, a: Tensor, b: Tensor): void =>
        worst.add(`${stack} ${layer} ${what}`, scaledError(a, b, 1));
      close("resid_mid", sumOf(at("resid_pre"), at("attn_out")), at("resid_mid"));
      const crossed = stack === "decoder";
      if (crossed)
        close("resid_mid_cross", sumOf(at("resid_mid"), at("cross_attn_out")), at("resid_mid_cross"));
      const mid = at(crossed ? "resid_mid_cross" : "resid_mid");
      close("resid_post", sumOf(mid, at("mlp_out")), at("resid_post"));
      if (layer > 0) close("resid_pre", cache.get(`${stack}.${layer - 1}.hook_resid_post`), at("resid_pre"));
    }
  return worst;
}

/** `[batch, head, query, key]` times `[batch, key, kvHead, dHead]`, as `[batch, query, head, dHead]`. */
function mixed({ config }: Model, pattern: Tensor, v: Tensor): Tensor {
  const [batch, heads, queries, keys] = pattern.shape as [number, number, number, number];
  const { dHead, nHeads, nKvHeads } = config;
  const result = new Float32Array(batch * queries * heads * dHead);
  let at = 0;
  for (let b = 0; b < batch; b++)
    for (let q = 0; q < queries; q++)
      for (let h = 0; h < heads; h++)
        for (let d = 0; d < dHead; d++, at++)
          for (let k = 0; k < keys; k++)
            result[at]! += pattern.get(b, h, q, k) * v.get(b, k, Math.floor((h * nKvHeads) / nHeads), d);
  return tensor(result, [batch, queries, heads, dHead]);
}

/** How far the rows of a pattern are from summing to 1; infinity where one looks at what it must not see. */
function patternError({ config }: Model, pattern: Tensor, layer: number): number {
  const [batch, heads, queries, keys] = pattern.shape as [number, number, number, number];
  const { bidirectional, window, localLayers } = config;
  const reach = window !== undefined && (localLayers?.[layer] ?? true) ? window : Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let q = 0; q < queries; q++) {
        let sum = 0;
        for (let k = 0; k < keys; k++) {
          const weight = pattern.get(b, h, q, k);
          if (weight !== 0 && !bidirectional && (k > q || q - k >= reach)) return Number.POSITIVE_INFINITY;
          sum += weight;
        }
        worst = Math.max(worst, Math.abs(sum - 1));
      }
  return worst;
}

async function resultsSum(
  model: Model,
  cache: ActivationCache,
  layer: number,
  tokens: number[][],
): Promise<Tensor> {
  const name = `blocks.${layer}.attn.hook_result`;
  const made = (await model.runWithCache(tokens, { names: name })).cache.get(name);
  const error = scaledError(cache.get(name), made, 1);
  if (error > 1e-5) throw new Error(`The cache makes another ${name} than the run: ${error}.`);
  const [batch, length, heads, width] = made.shape as [number, number, number, number];
  const bias = model.weights.get("b_O");
  const sums = new Float32Array(batch * length * width);
  contiguous(made).data.forEach((value, i) => {
    sums[Math.floor(i / (heads * width)) * width + (i % width)]! += value;
  });
  return tensor(
    sums.map((x, i) => x + bias.get(layer, i % width)),
    [batch, length, width],
  );
}

/**
 * The weights by TransformerLens's names are those of the graph: queries, keys, values, heads' results and the MLP's
 * input and output are made by them. For models whose norms do nothing but normalise, as new ones' do.
 */
export async function weightsError(model: Model, tokens: number[][]): Promise<Worst> {
  const worst = new Worst();
  const { nLayers, nHeads, nKvHeads, normPlacement, experts, parallel, residualScale } = model.config;
  const { cache } = await model.runWithCache(tokens, { names: model.hookNames });
  const weight = (name: string): Tensor => model.weights.get(name);
  for (let layer = 0; layer < nLayers; layer++) {
    const at = (name: string, type?: string): Tensor => cache.get(name, layer, type);
    const read = normPlacement === "before" ? at("normalized", "ln1") : at("resid_pre");
    for (const [kind, heads] of [
      ["q", nHeads],
      ["k", nKvHeads],
      ["v", nKvHeads],
    ] as const) {
      const [w, b] = [weight(`W_${kind.toUpperCase()}`), weight(`b_${kind.toUpperCase()}`)];
      const made = at(kind);
      for (let head = 0; head < heads; head++)
        worst.add(
          `${kind} ${layer}`,
          productError(row(read), matrixOf(w, layer, head), row(b, layer, head), row(made, 0, 1, head)),
        );
    }
    for (let head = 0; head < nHeads; head++)
      worst.add(
        `result ${layer}`,
        productError(
          row(at("z"), 0, 1, head),
          matrixOf(weight("W_O"), layer, head),
          undefined,
          row(at("result"), 0, 1, head),
        ),
      );
    if (experts || !cache.has("post", layer)) continue;
    if (!cache.has("scale", layer, "ln2_post") && normPlacement !== "branch" && residualScale === undefined)
      worst.add(
        `mlp_out ${layer}`,
        productError(
          row(at("post")),
          matrixOf(weight("W_out"), layer),
          row(weight("b_out"), layer),
          row(at("mlp_out")),
        ),
      );
    const gated = model.weights.names.includes("W_gate");
    const shared = parallel && !cache.has("scale", layer, "ln2");
    const into = normPlacement === "before" ? at("normalized", shared ? "ln1" : "ln2") : at("mlp_in");
    worst.add(
      `pre ${layer}`,
      productError(
        row(into),
        matrixOf(weight(gated ? "W_gate" : "W_in"), layer),
        row(weight(gated ? "b_gate" : "b_in"), layer),
        row(at("pre")),
      ),
    );
  }
  return worst;
}

/** The numbers along the last axis at one place: of the first text's second position, where no other is said. */
function row(x: Tensor, ...at: number[]): Float32Array {
  const place = at.length > 0 ? at : [0, 1];
  return contiguous(x.pick(...place, null) as Tensor).data;
}

const matrixOf = (x: Tensor, ...at: number[]): Tensor => contiguous(x.pick(...at, null, null) as Tensor);

/** How far `x W + b` is from `y`. */
function productError(x: Float32Array, w: Tensor, b: Float32Array | undefined, y: Float32Array): number {
  const [rows, columns] = w.shape as [number, number];
  const made = Float32Array.from({ length: columns }, (_, j) => {
    let sum = b?.[j] ?? 0;
    for (let i = 0; i < rows; i++) sum += x[i]! * w.data[i * columns + j]!;
    return sum;
  });
  return scaledError(tensor(made, [columns]), tensor(y, [columns]), 1);
}

/** Each text of a batch of unequal lengths has the logits that it has alone. */
export async function paddingError(model: Model, texts: number[][]): Promise<number> {
  const worst = new Worst();
  const options = target(model, texts);
  const together = await model.forward(texts, options);
  const length = Math.max(...texts.map((text) => text.length));
  for (const [row, text] of texts.entries()) {
    const alone = await model.forward([text], target(model, [text]));
    if (options.decoderInput) {
      worst.add(`row ${row}`, scaledError(together.hi(row + 1).lo(row) as Tensor, alone, 1));
      continue;
    }
    const start = model.config.bidirectional ? 0 : length - text.length;
    const beside =
      together.shape.length === 2
        ? together.hi(row + 1, together.shape[1]!).lo(row, 0)
        : together.hi(row + 1, start + text.length, together.shape[2]!).lo(row, start, 0);
    worst.add(`row ${row}`, scaledError(beside as Tensor, alone, 1));
  }
  return worst.error;
}

/** Whether a text goes on with a memory of keys and values as it does when each step runs all of it anew. */
export async function continuesAlike(model: Model, prompt: number[], steps: number): Promise<boolean> {
  const { encoder } = model.config;
  const row = encoder ? [encoder.startToken] : [...prompt];
  for (let i = 0; i < steps; i++) {
    const logits = encoder
      ? await model.forward([prompt], { logits: "last", decoderInput: [row] })
      : await model.forward([row], { logits: "last" });
    const { data } = contiguous(logits);
    row.push(data.reduce((best, x, id) => (x > data[best]! ? id : best), 0));
  }
  const { tokens } = await model.generate([prompt], { maxNewTokens: steps, stopAtEos: false });
  return String(tokens[0]) === String(row);
}
