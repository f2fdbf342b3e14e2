/** Choosing the next token. */

import type { Random } from "../array/index.js";

/** How the next token is chosen. */
export interface SamplingOptions {
  /** Divides the logits; 0 chooses the most probable token. 0 by default. */
  readonly temperature?: number;
  /** Only the most probable tokens, so many of them. */
  readonly topK?: number;
  /** Only the most probable tokens that together have this probability (nucleus sampling, Holtzman et al. 2020). */
  readonly topP?: number;
}

/** Throws if the options make no sense. */
export function checkSampling({ temperature = 0, topK, topP }: SamplingOptions): void {
  if (!(temperature >= 0) || !Number.isFinite(temperature))
    throw new Error(`temperature must be a number from 0 on, but is ${temperature}.`);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw new Error(`topK must be a whole number from 1 on, but is ${topK}.`);
  if (topP !== undefined && !(topP > 0 && topP <= 1))
    throw new Error(`topP must be above 0 and at most 1, but is ${topP}.`);
}

/** Chooses a token by its logits. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 0, topK, topP }: SamplingOptions,
  random: Random,
): number {
  const best = argmax(logits);
  if (temperature === 0) return best;
  const order = Array.from(logits.keys());
  const kept =
    topK !== undefined || topP !== undefined ? order.sort((a, b) => logits[b]! - logits[a]!) : order;
  const candidates = topK === undefined ? kept : kept.slice(0, topK);
  const weights = candidates.map((id) => Math.exp((logits[id]! - logits[best]!) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  let limit = candidates.length;
  if (topP !== undefined) {
    let sum = 0;
    limit = weights.findIndex((weight) => (sum += weight / total) >= topP) + 1 || candidates.length;
  }
  const mass = weights.slice(0, limit).reduce((a, b) => a + b, 0);
  let left = random.uniform() * mass;
  for (let i = 0; i < limit; i++) if ((left -= weights[i]!) < 0) return candidates[i]!;
  return candidates[limit - 1]!;
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
