import assert from "node:assert/strict";
import { engineWork } from "./execution/engine-work.js";
import { labOfSuite } from "./lab-page.js";

describe("the kernel in JupyterLab", () => {
  const notebook = labOfSuite();
  const { open, output, start } = notebook;

  const menu = async (...names: string[]): Promise<void> => {
    for (const name of names) await notebook.page.getByRole("menuitem", { name, exact: true }).click();
  };

  it("runs cells and shows results, rich output and errors", async () => {
    await open("6 * 7", 'import { html } from "tslens/widgets";\nhtml`<b id="rich">${"<i>"}</b>`', "null!.f");
    await menu("Run", "Run All Cells");
    await output(2).first().waitFor();
    assert.equal((await output(0).innerText()).trim(), "42");
    assert.equal(await notebook.page.locator("#rich").innerText(), "<i>");
    assert.match(await output(2).innerText(), /TS2531: Object is possibly 'null'/);
  });

  it("shows every one of 20,000 lines", async () => {
    await open("for (let i = 0; i < 20_000; i++) console.log(i);", '"after"');
    await menu("Run", "Run All Cells");
    await output(1).first().waitFor();
    const lines = (await output(0).first().innerText()).trim().split("\n");
    assert.equal(lines.length, 20_000);
    assert.equal(lines.at(-1), "19999");
  });

  it("says that the memory is used up, and restarts clean", async () => {
    const { NODE_OPTIONS } = process.env;
    process.env.NODE_OPTIONS = "--max-old-space-size=400"; // for kernels, which inherit it from Jupyter
    try {
      await open(
        "let kept = 5;",
        "const a: unknown[] = []; while (true) a.push(new Array(1e4).fill(1));",
        "typeof kept",
      );
    } finally {
      if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = NODE_OPTIONS;
    }
    await menu("Run", "Run All Cells");
    await output(1).getByText("OutOfMemory: The cell was stopped", { exact: false }).waitFor();
    await notebook.page.getByRole("dialog").getByText("appears to have died", { exact: false }).waitFor();
    await notebook.page.getByRole("button", { name: "Ok", exact: true }).click();
    await notebook.page.getByText("TypeScript (tslens) | Idle").waitFor();
    await start(0);
    await start(2);
    await output(2).getByText("'number'", { exact: true }).waitFor();
  });

  it("stops training by the stop button, and the next cell runs", async () => {
    await open(engineWork.setUp, engineWork.cells.training, "work.done > 0");
    await menu("Run", "Run All Cells");
    await notebook.page.getByText("under way", { exact: true }).waitFor();
    await notebook.page.locator('[data-jp-item-name="interrupt"]').click();
    await output(1).getByText("KeyboardInterrupt").waitFor();
    await start(2);
    await output(2).getByText("true", { exact: true }).waitFor();
  });

  it("stops a loop by the stop button, and the variables are still there", async () => {
    await open("let kept = 5;", 'console.log("spins"); while (true);', "kept");
    await menu("Run", "Run All Cells");
    await notebook.page.getByText("spins", { exact: true }).waitFor();
    await notebook.page.locator('[data-jp-item-name="interrupt"]').click();
    await output(1).getByText("KeyboardInterrupt").waitFor();
    await start(2);
    await output(2).getByText("5", { exact: true }).waitFor();
  });
});
