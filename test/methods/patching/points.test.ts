import assert from "node:assert/strict";
import { loadModel } from "../../../src/index.js";
import { gridOf } from "../../../src/methods/patching/grid.js";
import { usualAxes, usualPoints } from "../../../src/methods/patching/points.js";
import { fixture } from "../../shared.js";

describe("the usual points of sweeps", () => {
  for (const family of ["gpt2", "llama", "gemma2"])
    it(`are points of ${family}, with the axes that they usually have`, async () => {
      const model = await loadModel(fixture("models", family));
      for (const point of [...usualPoints, "attn_scores", "result", "mlp_post"])
        for (const at of [point, model.pointName([point, 1])]) {
          const over = usualAxes(at);
          const { shape } = gridOf(model, model.read([[1, 2, 3]]), { at, over });
          const places = model.parts.engine.site(model.pointName([point, 1])).axes.includes("head")
            ? model.config.nHeads
            : 3;
          assert.equal(shape.at(-1), ["k", "v"].includes(point) ? (model.config.nKvHeads ?? places) : places);
          assert.equal(shape.length, at === point ? 2 : 1);
        }
      assert.deepEqual(usualAxes("hook_embed"), ["pos"]);
    });
});
