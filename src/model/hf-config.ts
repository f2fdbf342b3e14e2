/** Reading a `config.json`: each setting that counts is read or refused by its name. */

import type { ModelConfig, RotaryConfig } from "./config.js";

/** A parsed `config.json`. */
export type HfConfig = Readonly<Record<string, unknown>>;

/** A number of a `config.json`, or an error that names what is there instead. */
export function numberOf(config: HfConfig, key: string, otherwise?: number): number {
  const value = config[key] ?? otherwise;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new Error(`config.json: "${key}" must be a number, but is ${JSON.stringify(value)}.`);
  return value;
}

/** No size of a model is larger; a damaged one could ask for any amount of memory. */
const LARGEST = 100_000_000;

/** A count of a `config.json`: a whole number from 1 on. */
export function countOf(config: HfConfig, key: string, otherwise?: number): number {
  const value = numberOf(config, key, otherwise);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`config.json: "${key}" must be a whole number from 1 on, but is ${value}.`);
  if (value > LARGEST)
    throw new Error(
      `config.json: "${key}" is ${value}, which is more than any model has; the file is damaged.`,
    );
  return value;
}

/** A number where the setting is one, and nothing where it is null or missing. */
export function optionalNumber(config: HfConfig, key: string): number | undefined {
  return config[key] === undefined || config[key] === null ? undefined : numberOf(config, key);
}

/** A list of so many numbers, or an error. */
export function numbersOf(config: HfConfig, key: string, count: number): number[] {
  const value = config[key];
  if (Array.isArray(value) && value.length === count && value.every((x) => Number.isFinite(x))) return value;
  throw new Error(`config.json: "${key}" must be a list of ${count} numbers.`);
}

/** The ids of special tokens that a `config.json` gives as a number, a list or null. */
export function tokenIds(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter((id): id is number => typeof id === "number");
}

/** One of the choices that the engine has, or an error that lists them. */
export function oneOf<T extends string>(
  config: HfConfig,
  key: string,
  choices: Readonly<Record<string, T>>,
  otherwise?: string,
): T {
  const value = (config[key] ?? otherwise) as string;
  const found = Object.hasOwn(choices, value) ? choices[value] : undefined;
  if (found === undefined)
    throw new Error(
      `config.json: "${key}" is ${JSON.stringify(value)}; known are ${Object.keys(choices).join(", ")}.`,
    );
  return found;
}

/** The nonlinearities by the names that `config.json` files use. */
export const activations = {
  gelu: "gelu",
  gelu_new: "gelu_new",
  gelu_fast: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  silu: "silu",
  swish: "silu",
  relu: "relu",
} as const;

/**
 * Throws if a setting has another value than the one that the engine computes; missing ones are taken to have it, and
 * null is taken as missing.
 */
export function requireSettings(config: HfConfig, settings: Readonly<Record<string, unknown>>): void {
  for (const [key, expected] of Object.entries(settings)) {
    const value = config[key] ?? expected;
    if (value !== expected)
      throw new Error(
        `config.json: "${key}" is ${JSON.stringify(value)}, which is not supported for ${JSON.stringify(config.model_type)}; only ${JSON.stringify(expected)} is.`,
      );
  }
}

/** The width of a head, where the heads share the model's width evenly. */
export function evenShare(config: HfConfig, dModel: number, nHeads: number): number {
  const dHead = dModel / nHeads;
  if (Number.isInteger(dHead)) return dHead;
  throw new Error(
    `config.json: the width ${dModel} of ${JSON.stringify(config.model_type)} is no multiple of its ${nHeads} heads.`,
  );
}

/** The special tokens of a model. */
export function specialTokens(config: HfConfig): Pick<ModelConfig, "bosToken" | "eosTokens" | "padToken"> {
  return {
    bosToken: tokenIds(config.bos_token_id)[0],
    eosTokens: tokenIds(config.eos_token_id),
    padToken: tokenIds(config.pad_token_id)[0],
  };
}

/** The names of a classifier's classes: `id2label`, or two without names. */
export function labelsOf(config: HfConfig): string[] {
  const names = config.id2label;
  if (names === undefined || names === null) {
    const count = countOf(config, "num_labels", 2);
    return Array.from({ length: count }, (_, i) => `LABEL_${i}`);
  }
  const entries = Object.entries(names as Record<string, unknown>);
  return entries.map((_, i) => {
    const name = (names as Record<string, unknown>)[String(i)];
    if (typeof name === "string") return name;
    throw new Error(
      `config.json: "id2label" must name the classes 0 to ${entries.length - 1}, but has none for ${i}.`,
    );
  });
}

/** Which layers see a window only, by `layer_types`; nothing where all see everything. */
export function localLayersOf(config: HfConfig, nLayers: number): boolean[] | undefined {
  const types = config.layer_types;
  if (types === undefined || types === null) return undefined;
  if (!Array.isArray(types) || types.length !== nLayers)
    throw new Error(`config.json: "layer_types" must name the kind of each of the ${nLayers} layers.`);
  const local = types.map((_, i) => {
    if (types[i] === "sliding_attention") return true;
    if (types[i] === "full_attention") return false;
    throw new Error(
      `config.json: "layer_types" has ${JSON.stringify(types[i])}; known are full_attention, sliding_attention.`,
    );
  });
  return local;
}

/**
 * Rotary settings as transformers writes them: `rope_parameters` now, `rope_theta` and `rope_scaling` before.
 *
 * @param part of `rope_parameters` for one kind of layers, where it has several
 */
export function rotaryOf(
  config: HfConfig,
  dHead: number,
  { part, base: otherwise = 10000, share = 1 }: { part?: string; base?: number; share?: number } = {},
): RotaryConfig {
  const all = (config.rope_parameters ?? config.rope_scaling ?? {}) as HfConfig;
  const rope = (part === undefined ? all : (all[part] ?? all)) as HfConfig;
  const type = (rope.rope_type ?? rope.type ?? "default") as string;
  const base = numberOf(rope, "rope_theta", numberOf(config, "rope_theta", otherwise));
  const rotated = numberOf(
    rope,
    "partial_rotary_factor",
    numberOf(config, "partial_rotary_factor", numberOf(config, "rotary_pct", share)),
  );
  const dim = Math.trunc(dHead * rotated);
  if (dim < 2 || dim % 2 !== 0)
    throw new Error(`config.json: ${dim} of a head's ${dHead} dimensions cannot be rotated in pairs.`);
  const known = rotaryScalings[type];
  if (known) return { base, dim, ...known(rope, config, base, dim) };
  throw new Error(
    `config.json: rope scaling of type "${type}" is not supported; known are ${Object.keys(rotaryScalings).join(", ")}.`,
  );
}

type ScalingReader = (
  rope: HfConfig,
  config: HfConfig,
  base: number,
  dim: number,
) => Pick<RotaryConfig, "scaling" | "divisors" | "long" | "factor">;

const rotaryScalings: Readonly<Record<string, ScalingReader>> = {
  default: () => ({}),
  linear: (rope) => ({ scaling: { kind: "linear", factor: numberOf(rope, "factor") } }),
  // It stretches wavelengths beyond the model's context only, and longer inputs than that are refused.
  dynamic: () => ({}),
  llama3: (rope) => ({
    scaling: {
      kind: "llama3",
      factor: numberOf(rope, "factor"),
      lowFreqFactor: numberOf(rope, "low_freq_factor"),
      highFreqFactor: numberOf(rope, "high_freq_factor"),
      originalContext: numberOf(rope, "original_max_position_embeddings"),
    },
  }),
  yarn,
  longrope,
  su: longrope,
};

/** YaRN's range of dimensions and its factor, as transformers' `_compute_yarn_parameters` has them. */
function yarn(
  rope: HfConfig,
  config: HfConfig,
  base: number,
  dim: number,
): Pick<RotaryConfig, "scaling" | "factor"> {
  const context = countOf(config, "max_position_embeddings");
  const original = countOf(rope, "original_max_position_embeddings", context);
  const factor = numberOf(rope, "factor", context / original);
  const correction = (rotations: number): number =>
    (dim * Math.log(original / (rotations * 2 * Math.PI))) / (2 * Math.log(base));
  const whole = rope.truncate !== false;
  const low = correction(numberOf(rope, "beta_fast", 32));
  const high = correction(numberOf(rope, "beta_slow", 1));
  const from = Math.max(0, whole ? Math.floor(low) : low);
  const to = Math.min(dim - 1, whole ? Math.ceil(high) : high);
  const magnitude = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [one, all] = [optionalNumber(rope, "mscale"), optionalNumber(rope, "mscale_all_dim")];
  return {
    scaling: { kind: "yarn", factor, from, to: from === to ? to + 0.001 : to },
    factor:
      optionalNumber(rope, "attention_factor") ??
      (one && all ? magnitude(one) / magnitude(all) : magnitude(1)),
  };
}

/** LongRoPE: one list of divisors up to the original context and another beyond it. */
function longrope(
  rope: HfConfig,
  config: HfConfig,
  _base: number,
  dim: number,
): Pick<RotaryConfig, "divisors" | "long" | "factor"> {
  const context = countOf(config, "max_position_embeddings");
  const original = countOf(
    rope,
    "original_max_position_embeddings",
    countOf(config, "original_max_position_embeddings", context),
  );
  const factor = optionalNumber(rope, "factor") ?? context / original;
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    divisors: numbersOf(rope, "short_factor", dim / 2),
    long: { from: original, divisors: numbersOf(rope, "long_factor", dim / 2) },
    factor: optionalNumber(rope, "attention_factor") ?? usual,
  };
}
