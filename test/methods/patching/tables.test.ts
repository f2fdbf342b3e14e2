import assert from "node:assert/strict";
import { join } from "node:path";
import { type NpyArray, npyToTensor, readNpz, type Tensor } from "../../../src/array/index.js";
import { activationPatching, loadModel, logitDiff, type SweepAxis } from "../../../src/index.js";
import { sharedOrSkip } from "../../shared.js";

interface Reference {
  /** The folder of the model and that of its tables in `../shared`. */
  readonly model: readonly string[];
  readonly tables: string;
  /** The names of arrays: the prompts, the metric's tokens. */
  readonly prompt: (name: "clean" | "corrupt") => string;
  readonly tokens: string;
  /** The metric on the clean and on the corrupt prompt. */
  readonly metric: string;
  readonly count: number;
}

const random = (family: string): Reference => ({
  model: ["golden", "models", family],
  tables: family,
  prompt: (name) => `patching.${name}`,
  tokens: "patching.metric_ids",
  metric: "patching.base",
  count: 13,
});

const references: Readonly<Record<string, Reference>> = {
  gpt2: random("gpt2"),
  llama: random("llama"),
  "the trained stories260K": {
    model: ["data", "models", "stories260K"],
    tables: "stories260K-analyses",
    prompt: (name) => `${name}.tokens`,
    tokens: "metric_ids",
    metric: "base_logit_diff",
    count: 9,
  },
};

const tables: readonly [name: string, at: string, over: readonly SweepAxis[]][] = [
  ["resid_pre", "resid_pre", ["layer", "pos"]],
  ["resid_mid", "resid_mid", ["layer", "pos"]],
  ["attn_out", "attn_out", ["layer", "pos"]],
  ["mlp_out", "mlp_out", ["layer", "pos"]],
  ["attn_head_out_all_pos", "z", ["layer", "head"]],
  ["attn_head_q_all_pos", "q", ["layer", "head"]],
  ["attn_head_k_all_pos", "k", ["layer", "head"]],
  ["attn_head_v_all_pos", "v", ["layer", "head"]],
  ["attn_head_pattern_all_pos", "pattern", ["layer", "head"]],
  ["attn_head_out_by_pos", "z", ["layer", "pos", "head"]],
  ["attn_head_q_by_pos", "q", ["layer", "pos", "head"]],
  ["attn_head_v_by_pos", "v", ["layer", "pos", "head"]],
  ["attn_head_pattern_by_pos", "pattern", ["layer", "head", "pos"]],
];

describe("patching tables of TransformerLens", () => {
  for (const [name, reference] of Object.entries(references))
    it(`are reached on ${name}`, async function () {
      const folder = sharedOrSkip(this, "golden", "models", reference.tables);
      const model = await loadModel(sharedOrSkip(this, ...reference.model));
      const arrays = await readNpz(join(folder, "analyses.npz"));
      const array = (key: string): Tensor => npyToTensor(arrays.get(key) as NpyArray);
      const [correct, incorrect] = [...array(reference.tokens).data] as [number, number];
      const task = {
        clean: [...array(reference.prompt("clean")).data],
        corrupt: [...array(reference.prompt("corrupt")).data],
        metric: logitDiff({ correct, incorrect }),
      };
      const known = tables.filter(([table]) => arrays.has(`patching.${table}`));
      assert.equal(known.length, reference.count);
      for (const [table, at, over] of known) {
        const expected = array(`patching.${table}`);
        const { values, clean, corrupt } = await activationPatching(model, { ...task, at, over });
        [...array(reference.metric).data].forEach((value, i) => {
          assert.ok(Math.abs([clean!, corrupt!][i]! - value) < 1e-4 * Math.max(1, Math.abs(value)));
        });
        assert.deepEqual(values.shape, expected.shape);
        const largest = Math.max(...expected.data.map(Math.abs));
        expected.data.forEach((value, i) => {
          const difference = Math.abs(values.data[i]! - value);
          assert.ok(difference < 1e-4 * largest, `${table}, cell ${i}: ${values.data[i]}, not ${value}`);
        });
      }
    });
});
