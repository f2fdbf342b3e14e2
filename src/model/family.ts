/** What a family of models says of itself: how to read its configuration, and where its weights are. */

import type { ModelConfig } from "./config.js";
import type { HfConfig } from "./hf-config.js";

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
  /**
   * Where several maps share one matrix: it has `of` outputs in all, in `groups` (1 by default) of equal size, and this
   * map's are `dOut / groups` of each group, from `from` on.
   */
  readonly part?: { readonly from: number; readonly of: number; readonly groups?: number };
}

/** A norm's parameters. */
export interface Norm {
  readonly weight: string;
  readonly bias?: string;
  /** The width; `dModel` by default. */
  readonly size?: number;
}

/** An MLP of one hidden layer. */
export interface DenseMlp {
  readonly in: Linear;
  readonly gate?: Linear;
  /** The matrix that holds the gate and the other branch side by side, where the family stores them so. */
  readonly gateIn?: Linear;
  readonly out: Linear;
}

/** Several MLPs, and the map that says how much each token uses of them. */
export interface ExpertMlp {
  readonly router: Linear;
  readonly experts: readonly DenseMlp[];
}

/** Where the parts of one block are. */
export interface Block {
  /** How many heads it has, each with its own keys and values; as the configuration says by default. */
  readonly heads?: number;
  /** The norm of attention, where the configuration's `normPlacement` says. */
  readonly ln1?: Norm;
  /** The norm of the MLP; missing where it shares the one before attention. */
  readonly ln2?: Norm;
  /** Further norms, on what attention and MLP add. */
  readonly ln1Post?: Norm;
  readonly ln2Post?: Norm;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  /** The matrix that holds q, k and v, where the family stores them so. */
  readonly qkv?: Linear;
  /** The norms of queries and keys: of each head (size `dHead`) or of all together. */
  readonly qNorm?: Norm;
  readonly kNorm?: Norm;
  readonly o: Linear;
  /** Attention to the source, between attention and MLP. */
  readonly cross?: CrossAttention;
  /** Missing where the model has attention alone. */
  readonly mlp?: DenseMlp | ExpertMlp;
}

/** Where the parts of a block's attention to the source are. */
export interface CrossAttention extends Pick<Block, "q" | "k" | "v" | "o"> {
  readonly norm: Norm;
}

/** Where the parts of an encoder are, whose result a decoder attends to. */
export interface EncoderLayout {
  readonly block: (layer: number) => Block;
  readonly lnFinal: Norm;
  /** The table of biases by distance. */
  readonly relativeBias: string;
}

/** Where the parts of a state-space block are. */
export interface StateSpace {
  readonly norm: Norm;
  /** To the channels and to what gates them. */
  readonly inProj: Linear;
  /** `[channel, 1, kernel]` */
  readonly conv: { readonly weight: string; readonly bias?: string };
  /** To what time steps are made from, what is written and what is read. */
  readonly xProj: Linear;
  readonly dtProj: Linear;
  /** The logarithms of the states' rates, `[channel, state]`. */
  readonly aLog: string;
  /** What of a channel passes by the state, `[channel]`. */
  readonly d: string;
  readonly outProj: Linear;
}

/** The head of a classifier. */
export interface Classifier {
  /** The layer that reads the first position. */
  readonly pooler: Linear;
  readonly nonlinearity: ModelConfig["actFn"];
  /** The map to the classes. */
  readonly out: Linear;
}

/** Where the parts of a model are. */
export interface Layout {
  readonly embed: string;
  /** From embeddings to the residual stream, where their widths differ; and back. */
  readonly embedProjection?: Linear;
  readonly unembedProjection?: Linear;
  /** Learned positions. */
  readonly positions?: string;
  /** Embeddings of token types. */
  readonly tokenTypes?: string;
  /** The norm of the embeddings' sum. */
  readonly embedNorm?: Norm;
  readonly block: (layer: number) => Block;
  /** The encoder that reads the source, for models of two stacks. */
  readonly encoder?: EncoderLayout;
  /** The table of biases by distance. */
  readonly relativeBias?: string;
  /** In the place of `block`. */
  readonly stateSpace?: (layer: number) => StateSpace;
  readonly lnFinal?: Norm;
  /** What a masked language model does before its unembedding. */
  readonly transform?: { readonly dense: Linear; readonly norm: Norm };
  readonly unembed?: Linear;
  /** In the place of `unembed`. */
  readonly classifier?: Classifier;
}

/** A family of models. */
export interface Family {
  /** Its values of `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** The endings of `architectures` in `config.json` that it can be, such as `ForCausalLM`. */
  readonly heads: readonly string[];
  /** The prefix of its parameters' names that some files leave out. */
  readonly prefix: string;
  /** Reads `config.json`. */
  readonly config: (json: HfConfig) => ModelConfig;
  /** Says where the weights are. */
  readonly layout: (config: ModelConfig, json: HfConfig) => Layout;
}
