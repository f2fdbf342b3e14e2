import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile, type Tensor, tensor, writeFile, writeNpz } from "../../src/array/index.js";
import { acdc } from "../../src/circuits/index.js";
import { loadTracr, squaredError } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { sharedOrSkip } from "../shared.js";

interface ProgramRuns {
  readonly tokens: number[][];
  readonly n_edges: number;
  readonly true_edges: string[];
  readonly resample_permutation: number[];
  readonly zero: readonly ProgramRun[];
  readonly resample: readonly ProgramRun[];
}
interface ProgramRun {
  readonly order: "reverse" | "normal";
  readonly skip: boolean;
  readonly threshold: number;
  readonly kept: string[];
  readonly evaluations: number;
}

describe("compiled programs", () => {
  for (const program of ["reverse", "hist", "frac_prevs_x", "acdc_reverse", "acdc_proportion"])
    it(`say what the program says: ${program}`, async function () {
      const folder = sharedOrSkip(this, "data", "models", "tracr");
      const model = await loadTracr(join(folder, `${program}.npz`));
      const { examples } = (await readJsonFile(join(folder, `${program}.json`))) as {
        examples: { input: never[]; model_output: (string | number)[] }[];
      };
      const logits = await model.forward(examples.map(({ input }) => model.program.encode(input)));
      examples.forEach(({ model_output: expected }, row) => {
        const said = model.program.decode(logits, row);
        const close = (a: unknown, b: unknown): boolean =>
          typeof a === "number" && typeof b === "number" ? Math.abs(a - b) < 1e-5 : a === b;
        assert.ok(
          expected.every((value, i) => close(said[i], value)),
          `${said} instead of ${expected}`,
        );
      });
    });

  it("have the circuits of the reference, for every ablation, order and threshold", async function () {
    const golden = sharedOrSkip(this, "golden", "circuits", "acdc", "acdc_tracr.json");
    const folder = sharedOrSkip(this, "data", "models", "tracr");
    const { results } = JSON.parse(readFileSync(golden, "utf8")) as { results: Record<string, ProgramRuns> };
    for (const [name, runs] of Object.entries(results)) {
      const model = await loadTracr(join(folder, name.split("/")[0]!));
      const { tokens: clean } = runs;
      assert.deepEqual([...model.program.edges!].sort(), runs.true_edges);
      const metric = squaredError({ reference: await model.forward(clean), from: 1 });
      const corrupt = runs.resample_permutation.map((row) => clean[row]!);
      for (const ablation of ["zero", "resample"] as const)
        for (const { order, skip, threshold, kept, evaluations } of runs[ablation]) {
          const task = { clean, corrupt, metric, ablation, splitInput: true };
          const circuit = await acdc(model, { ...task, threshold, order, removeRedundant: skip });
          assert.equal(circuit.edges.length, runs.n_edges);
          assert.deepEqual(circuit.keptEdges.map((edge) => edge.name).sort(), [...kept].sort());
          assert.equal(circuit.evaluations, evaluations);
        }
    }
  });

  it("have exactly the published edges: reverse, with zero ablation on the permutations", async function () {
    const model = await loadTracr(sharedOrSkip(this, "data", "models", "tracr", "acdc_reverse.npz"));
    const orders = ["123", "132", "213", "231", "312", "321"];
    const clean = orders.map((order) => model.program.encode([...order].map(Number)));
    const metric = squaredError({ reference: await model.forward(clean), from: 1 });
    const task = { clean, metric, ablation: "zero", splitInput: true } as const;
    const circuit = await acdc(model, { ...task, threshold: 1e-4 });
    assert.equal(circuit.keptEdges.length, 11);
    assert.deepEqual(circuit.keptEdges.map(({ name }) => name).sort(), [...model.program.edges!].sort());
  });
});

describe("files of compiled programs", () => {
  const scratch = scratchFolder();
  const description = {
    n_layers: 1,
    n_heads: 1,
    d_head: 2,
    d_model: 3,
    d_mlp: 2,
    n_ctx: 4,
    causal: false,
    activation: "relu",
    layer_norm: false,
    tokens: ["bos", "a"],
    bos: "bos",
    output_values: ["x", "y"],
    residual_labels: ["0", "1", "2"],
    program: "small",
  };
  const shapes = {
    W_E: [2, 3],
    W_pos: [4, 3],
    W_U: [3, 2],
    W_Q: [1, 1, 3, 2],
    W_K: [1, 1, 3, 2],
    W_V: [1, 1, 3, 2],
    W_O: [1, 1, 2, 3],
    W_in: [1, 3, 2],
    W_out: [1, 2, 3],
  };
  const write = async (change: object = {}, arrays: Record<string, Tensor> = {}): Promise<string> => {
    const all = Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [
        name,
        tensor(
          Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
          shape,
        ),
      ] as const;
    });
    await writeNpz(scratch("small.npz"), { ...Object.fromEntries(all), ...arrays });
    const json = JSON.stringify({ ...description, ...change });
    await writeFile(scratch("small.json"), new TextEncoder().encode(json));
    return scratch("small.npz");
  };

  it("are read by the path of either, or of both", async () => {
    const path = await write();
    for (const name of [path, path.replace("npz", "json"), path.replace(".npz", "")]) {
      const { program, config } = await loadTracr(name);
      assert.deepEqual([program.name, program.encode(["a", "a"]), config.dVocab], ["small", [0, 1, 1], 2]);
    }
  });

  it("are refused in words where they do not fit", async () => {
    const rejects = async (message: RegExp, ...given: Parameters<typeof write>): Promise<void> =>
      assert.rejects(loadTracr(await write(...given)), message);
    await rejects(/lacks "n_layers", a whole number/, { n_layers: "2" });
    await rejects(/compiled programs have relu and no layer norm/, { layer_norm: true });
    await rejects(/"W_Q" in .* has the shape \[1, 1, 3, 2\]; by .* it should be \[1, 1, 3, 5\]/, {
      d_head: 5,
    });
    const { program } = await loadTracr(await write());
    assert.throws(() => program.encode(["c"]), /has no token "c"; its tokens are "bos", "a"/);
    await assert.rejects(loadTracr(scratch("missing")), /missing.json: it does not exist/);
  });
});
