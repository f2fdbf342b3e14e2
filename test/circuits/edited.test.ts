import assert from "node:assert/strict";
import { edgeAttribution, evaluateCircuit } from "../../src/circuits/index.js";
import { ablate, add, clamp, loadModel, logitDiff, patch, scale, tensor } from "../../src/index.js";
import { fixture } from "../shared.js";

describe("circuits of edited models", () => {
  const task = {
    clean: [[1, 2, 3, 4, 5]],
    corrupt: [[1, 7, 3, 4, 6]],
    metric: logitDiff({ correct: 1, incorrect: 2 }),
  };
  for (const family of ["gpt2", "llama", "gpt_neox"])
    it(`are whole where they give what the edited ${family} gives, and empty where it is fed the corrupt prompt`, async () => {
      const plain = await loadModel(fixture("models", family));
      const vector = tensor(
        Float32Array.from({ length: plain.config.dModel }, (_, i) => Math.sin(i)),
        [plain.config.dModel],
      );
      for (const edit of [
        ablate(["z", 0], { head: 1 }),
        scale(["mlp_out", 0], 0.5),
        patch("hook_embed", 0.1, { pos: 1 }),
        add(["resid_pre", 1], vector),
        add(["attn_out", 0], vector),
      ]) {
        const model = plain.withEdits([edit]);
        const whole = await edgeAttribution(model, task);
        for (const [circuit, prompts] of [
          [whole, task.clean],
          [whole.top(0), task.corrupt],
        ] as const) {
          const { metric } = await evaluateCircuit(model, circuit, task);
          const expected = await model.metric(prompts, task.metric);
          assert.ok(Math.abs(metric - expected) < 1e-4, `${metric}, not ${expected}: ${edit.kind}`);
        }
      }
    });

  it("are refused where edits stand between what heads write and others read", async () => {
    for (const [family, edits] of [
      ["gpt2", [patch(["attn_out", 0], 0.1), ablate(["resid_mid", 1]), scale(["resid_post", 0], 2)]],
      ["gpt2", [clamp("blocks.1.hook_q_input", { max: 1 }), scale(["mlp_in", 0], 2)]],
      ["gemma2", [scale("blocks.0.ln1_post.hook_normalized", 2)]],
    ] as const)
      for (const edit of edits) {
        const model = (await loadModel(fixture("models", family))).withEdits([edit]);
        await assert.rejects(
          edgeAttribution(model, task),
          /has an edit \("\w+"\) at "blocks/,
          `${edit.point}`,
        );
      }
  });
});
