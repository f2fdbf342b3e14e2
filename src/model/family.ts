/** What a family of models says of itself: how to read its configuration, and where its weights are. */

import type { HfConfig, ModelConfig } from "./config.js";

/** A linear map, as its weights are stored. */
export interface Linear {
  /** The parameter's name in the state dict. */
  readonly weight: string;
  /** The bias's name, where there is one. */
  readonly bias?: string;
  /** `inOut` is `[in, out]` (`y = x W`), `outIn` is `[out, in]` (`y = x Wᵀ`, PyTorch's `nn.Linear`). */
  readonly layout: "inOut" | "outIn";
  readonly dIn: number;
  readonly dOut: number;
  /** The outputs `from..to` of a matrix with `dOut` = `to − from` used ones, where several maps share one matrix. */
  readonly part?: { readonly from: number; readonly of: number };
}

/** A norm's parameters. */
export interface Norm {
  readonly weight: string;
  readonly bias?: string;
}

/** Where the parts of one block are. */
export interface Block {
  readonly ln1: Norm;
  readonly ln2: Norm;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  /** The matrix that holds q, k and v side by side, where the family stores them so. */
  readonly qkv?: Linear;
  readonly o: Linear;
  readonly mlp: { readonly in: Linear; readonly gate?: Linear; readonly out: Linear };
}

/** Where the parts of a model are. */
export interface Layout {
  readonly embed: string;
  /** Learned positions. */
  readonly positions?: string;
  readonly block: (layer: number) => Block;
  readonly lnFinal: Norm;
  readonly unembed: Linear;
}

/** A family of models. */
export interface Family {
  /** Its values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** The prefix of its parameters' names that some files leave out. */
  readonly prefix: string;
  /** Reads `config.json`. */
  readonly config: (json: HfConfig) => ModelConfig;
  /** Says where the weights are. */
  readonly layout: (config: ModelConfig) => Layout;
}
