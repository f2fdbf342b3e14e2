import assert from "node:assert/strict";
import { labOfSuite } from "../lab-page.js";

const setUp = `import { newLanguageModel } from "tslens";
import { constantRate, train } from "tslens/train";
const fresh = newLanguageModel({ model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 8, n_positions: 8, vocab_size: 9 });
const rows = [[1, 2, 3], [4, 5, 6]];
let steps = 0;
const batch = async () => { steps++; await new Promise((done) => setTimeout(done, 10)); return fresh.batch(rows); };`;

const training = (count: number): string =>
  `const trained = await train(fresh, { steps: ${count}, schedule: constantRate(0.001), batch });`;

describe("progress in JupyterLab", () => {
  const { open, output, start, run, screenshot } = labOfSuite();

  it("is a bar with rate, remaining time and a curve, whose button really stops the training", async () => {
    await open(
      setUp,
      training(1_000_000),
      "const reached = steps;\nreached < 1_000_000",
      "steps === reached",
    );
    await run(0);
    await start(1);
    const bar = output(1).locator(".tslens-progress");
    await bar.waitFor();
    await bar.getByText(/\/1000000 {2}[\d.]+\/s {2}.*left {2}loss \d/).waitFor();
    await bar.locator("polyline[points*=' ']").waitFor();
    assert.equal(await bar.locator("[role=progressbar]").getAttribute("aria-valuemax"), "1000000");
    const seen = async (): Promise<number> =>
      Number(await bar.locator("[role=progressbar]").getAttribute("aria-valuenow"));
    const before = await seen();
    await bar.locator(`[role=progressbar]:not([aria-valuenow="${before}"])`).waitFor();
    assert.ok((await seen()) > before, "it goes on");
    await screenshot("progress");
    await bar.getByRole("button", { name: "Stop training" }).click();
    await output(1).getByText("KeyboardInterrupt").first().waitFor();
    await bar.waitFor({ state: "detached" });
    await output(1)
      .getByText(/^training {2}[█░]+ {2}\d+\/1000000/)
      .waitFor();
    await run(2);
    await output(2).getByText("true", { exact: true }).waitFor();
    await run(3);
    await output(3).getByText("true", { exact: true }).waitFor();
    await screenshot("progress-stopped");
  });

  it("leaves one line and the curve where the work has ended", async () => {
    await open(setUp, training(80));
    await run(0);
    await run(1);
    await output(1).getByText("80/80").first().waitFor();
    assert.equal(await output(1).count(), 1);
    assert.equal(await output(1).locator("polyline").count(), 1);
    assert.equal(await output(1).locator("button").count(), 0);
  });
});
