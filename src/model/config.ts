/** What a model is made like, in terms that all families share. */

/** Rotary position embedding. */
export interface RotaryConfig {
  /** The base of the wavelengths (`rope_theta`). */
  readonly base: number;
  /** How many of a head's dimensions are rotated. */
  readonly dim: number;
  /** Llama 3's rescaling of long wavelengths, where the model has it. */
  readonly scaling?: Llama3Scaling;
}

/** Llama 3's rope scaling, by the names of its configuration. */
export interface Llama3Scaling {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalContext: number;
}

/** A model's sizes and choices. */
export interface ModelConfig {
  /** The family's name, such as `"gpt2"`. */
  readonly family: string;
  /** Transformer blocks. */
  readonly nLayers: number;
  /** Attention heads in each block. */
  readonly nHeads: number;
  /** Heads of keys and values; fewer than `nHeads` in grouped-query attention. */
  readonly nKvHeads: number;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Width of a head. */
  readonly dHead: number;
  /** Width of an MLP's hidden layer. */
  readonly dMlp: number;
  /** The longest context, in tokens. */
  readonly nCtx: number;
  /** Entries of the vocabulary. */
  readonly dVocab: number;
  /** The MLP's nonlinearity. */
  readonly actFn: "gelu" | "gelu_new" | "silu" | "relu";
  /** Layer norm or RMS norm. */
  readonly normalization: "LN" | "RMS";
  /** What the norm adds to the variance. */
  readonly epsilon: number;
  /** Whether the MLP multiplies two branches. */
  readonly gatedMlp: boolean;
  /** What attention scores are multiplied by. */
  readonly attentionScale: number;
  /** Rotary positions; learned ones where this is missing. */
  readonly rotary?: RotaryConfig;
  /** Whether the unembedding is the embedding. */
  readonly tiedEmbeddings: boolean;
  /** The token that begins a text, where the model has one. */
  readonly bosToken?: number;
  /** The tokens that end a text. */
  readonly eosTokens: readonly number[];
}

/** A parsed `config.json`. */
export type HfConfig = Readonly<Record<string, unknown>>;

/** A number of a `config.json`, or an error that names what is there instead. */
export function numberOf(config: HfConfig, key: string, otherwise?: number): number {
  const value = config[key] ?? otherwise;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new Error(`config.json: "${key}" must be a number, but is ${JSON.stringify(value)}.`);
  return value;
}

/** A count of a `config.json`: a whole number from 1 on. */
export function countOf(config: HfConfig, key: string, otherwise?: number): number {
  const value = numberOf(config, key, otherwise);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`config.json: "${key}" must be a whole number from 1 on, but is ${value}.`);
  return value;
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
  gelu_pytorch_tanh: "gelu_new",
  silu: "silu",
  swish: "silu",
  relu: "relu",
} as const;
