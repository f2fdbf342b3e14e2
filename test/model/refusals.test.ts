import assert from "node:assert/strict";
import { familyOf } from "../../src/model/families/index.js";
import type { HfConfig } from "../../src/model/hf-config.js";
import { randomConfig } from "./random-configs.js";

/** What reading a configuration says, with settings changed. */
function says(modelType: string, changed: HfConfig, words: RegExp): void {
  const json = { ...randomConfig(modelType, 1), ...changed };
  const read = (): unknown => {
    const family = familyOf(json);
    return family.layout(family.config(json), json).block(0);
  };
  assert.throws(read, (error: Error) => {
    assert.match(error.message, words);
    assert.match(error.message, /^config\.json/);
    return true;
  });
}

describe("what families refuse in a config.json, by the setting's name", () => {
  it("an architecture that they do not have", () => {
    says("llama", { model_type: "perceiver" }, /"perceiver".*known are.*llama/s);
    says("llama", { model_type: undefined }, /undefined/);
    says(
      "llama",
      { architectures: ["LlamaForSequenceClassification"] },
      /LlamaForSequenceClassification.*ForCausalLM/,
    );
    says("bert", { architectures: ["BertForQuestionAnswering"] }, /BertForQuestionAnswering.*ForMaskedLM/);
    says("gpt2", { architectures: ["GPT2DoubleHeadsModel"] }, /GPT2DoubleHeadsModel/);
  });

  it("settings that change what is computed and that the engine does not compute", () => {
    says("gpt2", { add_cross_attention: true }, /"add_cross_attention" is true/);
    says("falcon", { alibi: true }, /"alibi" is true/);
    says("phi", { qk_layernorm: true }, /"qk_layernorm" is true/);
    says("stablelm", { qk_layernorm: true }, /"qk_layernorm" is true/);
    says("gemma3_text", { attn_logit_softcapping: 30 }, /"attn_logit_softcapping" is 30/);
    says("gemma2", { use_bidirectional_attention: true }, /"use_bidirectional_attention"/);
    says("bert", { position_embedding_type: "relative_key" }, /"position_embedding_type" is "relative_key"/);
    says("bert", { is_decoder: true }, /"is_decoder" is true/);
    says("opt", { layer_norm_elementwise_affine: false }, /"layer_norm_elementwise_affine"/);
    says("bloom", { apply_residual_connection_post_layernorm: true }, /apply_residual_connection/);
  });

  it("rotations, nonlinearities and kinds of layers that it does not know", () => {
    says("llama", { rope_scaling: { type: "spiral" } }, /type "spiral".*llama3, yarn, longrope/);
    says("llama", { rope_scaling: { type: "linear" } }, /"factor" must be a number, but is undefined/);
    says("phi3", { rope_scaling: { type: "longrope", short_factor: [1] } }, /"short_factor" must be a list/);
    says("llama", { hidden_act: "mish" }, /"hidden_act" is "mish"; known are gelu/);
    says("gemma3_text", { layer_types: ["full_attention"], num_hidden_layers: 2 }, /"layer_types".*2 layers/);
    says(
      "gemma2",
      { layer_types: ["chunked_attention"], num_hidden_layers: 1 },
      /"chunked_attention"; known are full_attention/,
    );
    says("gpt_neo", { attention_layers: ["far"], num_layers: 1 }, /"attention_layers"/);
  });

  it("sizes that do not fit", () => {
    says("gpt2", { n_embd: 10, n_head: 3 }, /width 10 .* multiple of its 3 heads/);
    says("llama", { num_attention_heads: 3, num_key_value_heads: 2 }, /3 heads.*2 key-value heads/);
    says("llama", { head_dim: 3 }, /3 of a head's 3 dimensions cannot be rotated in pairs/);
    says("mixtral", { num_local_experts: 2, num_experts_per_tok: 3 }, /3 experts.*of 2/);
    says("llama", { hidden_size: "wide" }, /"hidden_size" must be a number, but is "wide"/);
    says("llama", { num_hidden_layers: 0 }, /"num_hidden_layers" must be a whole number from 1 on/);
    says(
      "distilbert",
      { architectures: ["DistilBertForSequenceClassification"], id2label: { 1: "a", 2: "b" } },
      /"id2label" must name the classes 0 to 1/,
    );
  });
});
