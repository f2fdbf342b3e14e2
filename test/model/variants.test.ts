import assert from "node:assert/strict";
import { fixture } from "../shared.js";
import { variants } from "./families.js";
import { openReference, scaledError } from "./reference.js";

describe("settings of families beside transformers", () => {
  for (const variant of variants)
    it(`${variant} has the logits, and continues greedily`, async () => {
      const reference = await openReference(fixture("models", "variants", variant));
      const { model } = reference;
      const written = reference.names.includes("decoder_tokens")
        ? { decoderInput: reference.integers("decoder_tokens") }
        : {};
      const error = scaledError(
        await model.forward(reference.integers("tokens"), written),
        reference.tensor("logits"),
        1,
      );
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < 5e-5, `${error}`);
      if (!reference.names.includes("greedy.prompt")) return;
      const [prompt] = reference.integers("greedy.prompt");
      const { tokens } = await model.generate([prompt!], { maxNewTokens: 12 });
      assert.deepEqual(tokens, reference.integers("greedy.tokens"));
    });
});
