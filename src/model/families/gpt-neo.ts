/** GPT-Neo (Black et al. 2021): GPT-2 with layers that see a window only, and scores that are not scaled. */

import type { Family } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  type HfConfig,
  numberOf,
  oneOf,
  specialTokens,
} from "../hf-config.js";
import { normOf, outIn } from "./layouts.js";

/** The kind of each layer: `attention_layers`, or `attention_types` with how often each run of kinds is repeated. */
function localLayers(json: HfConfig, nLayers: number): boolean[] {
  const types = (json.attention_types ?? []) as readonly (readonly [readonly string[], number])[];
  const listed = types.flatMap(([kinds, times]) => new Array<readonly string[]>(times).fill(kinds).flat());
  const kinds = (json.attention_layers ?? listed) as readonly string[];
  if (kinds.length !== nLayers || !kinds.every((kind) => kind === "global" || kind === "local"))
    throw new Error(
      `config.json: "attention_layers" must say "global" or "local" for each of the ${nLayers} layers.`,
    );
  return kinds.map((kind) => kind === "local");
}

export const gptNeo: Family = {
  modelTypes: ["gpt_neo"],
  heads: ["ForCausalLM"],
  prefix: "transformer.",

  config(json) {
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_heads");
    const nLayers = countOf(json, "num_layers");
    return {
      family: "gpt_neo",
      task: "nextToken",
      nLayers,
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead: evenShare(json, dModel, nHeads),
      dMlp: countOf(json, "intermediate_size", 4 * dModel),
      nCtx: countOf(json, "max_position_embeddings"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "activation_function", activations, "gelu_new"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-5),
      gatedMlp: false,
      attentionScale: 1,
      window: countOf(json, "window_size", 256),
      localLayers: localLayers(json, nLayers),
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout: ({ dModel, dMlp, dVocab, tiedEmbeddings }) => ({
    embed: "transformer.wte.weight",
    positions: "transformer.wpe.weight",
    block: (layer) => {
      const at = `transformer.h.${layer}`;
      const attention = (name: string, bias = false) =>
        outIn(`${at}.attn.attention.${name}_proj`, dModel, dModel, bias);
      return {
        ln1: normOf(`${at}.ln_1`),
        ln2: normOf(`${at}.ln_2`),
        q: attention("q"),
        k: attention("k"),
        v: attention("v"),
        o: attention("out", true),
        mlp: {
          in: outIn(`${at}.mlp.c_fc`, dModel, dMlp, true),
          out: outIn(`${at}.mlp.c_proj`, dMlp, dModel, true),
        },
      };
    },
    lnFinal: normOf("transformer.ln_f"),
    unembed: outIn(tiedEmbeddings ? "transformer.wte" : "lm_head", dModel, dVocab),
  }),
};
