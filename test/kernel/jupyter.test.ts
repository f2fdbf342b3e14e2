import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../kernel/protocol/message.js";
import { jupyterCommand, writeNotebook } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import { repository } from "../shared.js";

const windows = process.platform === "win32";
const command = (name: string): string => join(repository, ".python", windows ? "Scripts" : "bin", name);

interface Cell {
  readonly outputs: readonly (Json & { readonly output_type: string })[];
}

/** Whether an output is a finished bar of progress, which shows how long the work took, and only if it took long. */
const isProgress = ({ data }: Json): boolean =>
  /█.* in [\d.]+ s/.test(String((data as Json | undefined)?.["text/plain"]));

describe("Jupyter", () => {
  const scratch = scratchFolder();

  before(function () {
    if (existsSync(jupyterCommand) || process.env.CI) return;
    console.log("      skipped: there is no Python environment in .python; npm run setup makes it");
    this.skip();
  });

  /** Runs a notebook of code cells headless; returns its cells and metadata. */
  function execute(sources: readonly string[], ...options: string[]): { cells: Cell[]; metadata: Json } {
    writeNotebook(scratch("n.ipynb"), sources);
    const args = ["execute", "--inplace", ...options, scratch("n.ipynb")];
    const { status, stderr } = spawnSync(jupyterCommand, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return JSON.parse(readFileSync(scratch("n.ipynb"), "utf8"));
  }

  it("finds the kernel conforming, by its own test suite", () => {
    const script = join(repository, "test", "kernel", "conformance.py");
    const { status, stderr } = spawnSync(command("python"), [script], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Ran 13 tests/);
    assert.match(stderr, /OK \(skipped=1\)/, "the pager alone");
  });

  it("runs a notebook headless: streams, results, errors and widgets with their state", () => {
    const current = JSON.stringify(join(repository, "dist", "kernel", "current.js"));
    const identity = {
      _model_module: "tslens-widgets",
      _model_module_version: "0.1.0",
      _model_name: "M",
      _view_module: "tslens-widgets",
      _view_module_version: "0.1.0",
      _view_name: "V",
    };
    const { cells, metadata } = execute(
      [
        'console.log("out");\n6 * 7',
        'throw new RangeError("boom")',
        '"runs on"',
        `const { widgetHost } = await import(${current});\n` +
          `widgetHost().create(${JSON.stringify(identity)}, { value: 5, data: Uint8Array.of(1, 2) }, () => ({ "text/plain": "w" }))`,
      ],
      "--allow-errors",
    );
    assert.deepEqual(
      cells.map(({ outputs }) => outputs.map(({ output_type }) => output_type)),
      [["stream", "execute_result"], ["error"], ["execute_result"], ["execute_result"]],
    );
    assert.equal(cells[1]!.outputs[0]!.ename, "RangeError");
    const saved = (metadata.widgets as Json)["application/vnd.jupyter.widget-state+json"] as {
      state: Record<string, Json>;
    };
    const widget = Object.values(saved.state).find(({ model_name }) => model_name === "M")!;
    assert.equal((widget.state as Json).value, 5);
    assert.deepEqual(widget.buffers, [{ encoding: "base64", path: ["data"], data: "AQI=" }]);
  });

  it("gives the same outputs each time", () => {
    const sources = [
      "const a = [3, 1, 2];\na.toSorted()",
      "%lsmagic",
      'console.log("x"); console.error("y"); a',
      "(null as any).f",
    ];
    const outputs = (): unknown => execute(sources, "--allow-errors").cells;
    const strip = (cells: unknown): string =>
      JSON.stringify(cells, (key, value) => (key === "metadata" ? undefined : value));
    const first = strip(outputs());
    for (let i = 0; i < 2; i++) assert.equal(strip(outputs()), first);
  });

  it("serves jupyter console: cells, several lines, errors, the stop button, questions and exit", function () {
    if (windows) this.skip(); // pexpect needs a terminal.
    const script = join(repository, "test", "kernel", "console.py");
    const { status, stdout, stderr } = spawnSync(command("python"), [script], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /OK/);
  });

  it("runs under papermill, which puts parameters in as C# would write them", () => {
    writeNotebook(scratch("in.ipynb"), [
      'const alpha = 1;\nlet name = "a", on = false;',
      "[2 * alpha, name, on]",
    ]);
    const notebook = JSON.parse(readFileSync(scratch("in.ipynb"), "utf8"));
    notebook.cells[0].metadata.tags = ["parameters"];
    writeFileSync(scratch("in.ipynb"), JSON.stringify(notebook));
    const given = ["-p", "alpha", "2.5", "-p", "name", "x", "-p", "on", "True", "--language", ".net-csharp"];
    for (const [parameters, value] of [
      [[], "[ 2, 'a', false ]"],
      [given, "[ 5, 'x', true ]"],
    ] as const) {
      const args = [scratch("in.ipynb"), scratch("out.ipynb"), ...parameters];
      const { status, stderr } = spawnSync(command("papermill"), args, { encoding: "utf8" });
      assert.equal(status, 0, stderr);
      const { cells } = JSON.parse(readFileSync(scratch("out.ipynb"), "utf8")) as { cells: Cell[] };
      const [{ data }] = cells.at(-1)!.outputs as unknown as [{ data: Json }];
      assert.deepEqual(data, { "text/plain": [value] });
    }
  });

  it("gives the same outputs each time for the tutorials, but for the ids of widgets and for bars of progress", function () {
    this.timeout(600_000);
    const folder = join(repository, "notebooks", "tutorials");
    // The tutorial on ACDC shows how long its live search took.
    const same = readdirSync(folder).filter((file) => file.endsWith(".ipynb") && file !== "03-acdc.ipynb");
    for (const name of same) {
      const runs = Array.from({ length: 3 }, () => {
        copyFileSync(join(folder, name), scratch("n.ipynb"));
        const args = ["execute", "--inplace", scratch("n.ipynb")];
        const { status, stderr } = spawnSync(jupyterCommand, args, { encoding: "utf8" });
        assert.equal(status, 0, stderr);
        const { cells } = JSON.parse(readFileSync(scratch("n.ipynb"), "utf8")) as { cells: Cell[] };
        return JSON.stringify(
          cells.map(({ outputs }) => outputs?.filter((output) => !isProgress(output))),
          (key, value) => (key === "model_id" ? undefined : value),
        );
      });
      assert.equal(runs[1], runs[0], name);
      assert.equal(runs[2], runs[0], name);
    }
  });

  it("stops at a cell that fails, unless errors are allowed", () => {
    assert.throws(() => execute(["throw 1", "2"]), /CellExecutionError|Thrown/);
  });
});
