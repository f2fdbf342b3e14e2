import assert from "node:assert/strict";
import { kernelOfSuite, ofType, textOf } from "../client.js";
import { engineWork } from "./engine-work.js";

describe("work of the engine", () => {
  const kernel = kernelOfSuite();

  before(async () => {
    const { reply } = await kernel().run(engineWork.setUp);
    assert.equal(reply.status, "ok", String(reply.evalue));
  });

  for (const [what, code] of Object.entries(engineWork.cells)) {
    it(`is stopped by an interrupt: ${what}`, async () => {
      const id = await kernel().start(code);
      await kernel().until(() => textOf(kernel().publishedFor(id)).includes("under way"));
      const pressed = performance.now();
      await kernel().interrupt();
      const { reply, published } = await kernel().answer(id);
      console.log(`      stopped after ${(performance.now() - pressed).toFixed(0)} ms`);
      assert.deepEqual([reply.status, reply.ename], ["error", "KeyboardInterrupt"]);
      assert.equal(ofType(published, "error").length, 1);
      const before = await kernel().valueOf("work.done");
      assert.ok(Number(before) > 0);
      const after = await kernel().valueOf("await new Promise((later) => setTimeout(later, 300)); work.done");
      assert.equal(after, before, "nothing goes on behind the next cell");
      assert.equal(await kernel().valueOf('(await model.forward("Mary gave")).shape[1]'), "2");
    });
  }
});
