import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import * as array from "../src/array/index.js";
import * as circuits from "../src/circuits/index.js";
import * as graph from "../src/graph/index.js";
import * as tslens from "../src/index.js";
import * as plot from "../src/plot/index.js";
import * as runtime from "../src/runtime/host.js";
import * as tasks from "../src/tasks/index.js";
import * as train from "../src/train/index.js";
import { scratchFolder } from "./scratch.js";
import { fixture, repository } from "./shared.js";

/** The names that the examples of a folder may use without importing them. */
const scopes: Record<string, object> = {
  array,
  circuits: { ...tasks, ...circuits },
  graph,
  methods: { ...graph, ...tasks },
  plot,
  runtime,
  tasks: { ...array, ...train, ...tasks.tinyWorld, ...tasks },
  train: { ...array, ...graph, ...train },
};

interface Example {
  readonly file: string;
  readonly code: string;
}

/** The examples of docstrings: TypeScript behind `@example`. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/@example\s*\n([\s\S]*?)(?=\*\/|\n\s*\* @)/g)].map(([, block]) => {
    const lines = block!.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
    return {
      file: relative(repository, file),
      code: lines.filter((line) => !line.startsWith("```")).join("\n"),
    };
  });
}

/** What a line says its value is: `expression; // value`, where the value is JSON. */
function expectation(line: string): { expression: string; value: unknown } | undefined {
  const match = /^([^=]*?(?:[!=]==[^=]*)?);? \/\/ (.+)$/.exec(line);
  if (!match || /^(const|let|import|await)\b/.test(line)) return undefined;
  try {
    return { expression: match[1]!.replace(/;$/, ""), value: JSON.parse(match[2]!) };
  } catch {
    return undefined;
  }
}

async function run(code: string, scope: Record<string, unknown>): Promise<void> {
  const checked = code
    .split("\n")
    .map((line) => {
      const expected = expectation(line);
      return expected ? `__expect__(${expected.expression}, ${JSON.stringify(expected.value)});` : line;
    })
    .filter((line) => !/^import .* from "tslens/.test(line))
    .join("\n");
  const { outputText } = ts.transpileModule(checked, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const declared = new Set(
    [...outputText.matchAll(/(?:const|let) (?:\{([^}]*)\}|\[([^\]]*)\]|(\w+))/g)].flatMap((m) =>
      (m[1] ?? m[2] ?? m[3]!).split(/[,\s:]+/),
    ),
  );
  const names = Object.keys(scope).filter(
    (name) => !declared.has(name) && new RegExp(`\\b${name}\\b`).test(outputText),
  );
  const AsyncFunction = (async () => undefined).constructor as new (
    ...args: string[]
  ) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction(...names, "console", outputText)(...names.map((name) => scope[name]), {
    log: () => undefined,
  });
}

describe("the examples of docstrings", () => {
  // What follows `// such as` is an example of a value, not the value.
  const files = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(repository, "src", file));
  const scope: Record<string, unknown> = {};
  const home = process.cwd();
  const scratch = scratchFolder();

  beforeEach(() => {
    // Examples may read a model's files and write their own.
    cpSync(join(repository, "models", "tiny-world"), scratch(), { recursive: true });
    cpSync(fixture("models", "gpt2", "reference.npz"), scratch("reference.npz"));
    cpSync(fixture("onnx", "classifier-torchscript.onnx"), scratch("classifier.onnx"));
    process.chdir(scratch());
  });
  afterEach(() => process.chdir(home));

  before(async () => {
    const model = await tslens.loadModel("tiny-world");
    const clean = "When Mary and John went to the store, John gave a book to";
    const { cache } = await model.runWithCache(clean);
    const direction = new Float32Array(model.config.dModel).fill(0.1);
    const corrupt = "When Mary and John went to the store, Mary gave a book to";
    Object.assign(scope, tslens, {
      matmul: graph.matmul,
      model,
      cache,
      direction,
      clean,
      corrupt,
      text: clean,
      prompt: clean,
    });
    scope.__expect__ = (actual: unknown, expected: unknown) => assert.deepEqual(actual, expected);
  });
  after(() => runtime.setHost({}));

  const examples = files.flatMap(examplesOf);
  it("are there", () => assert.ok(examples.length > 30, String(examples.length)));
  for (const { file, code } of examples)
    it(`runs in ${file}: ${code.split("\n")[0]}`, async () => {
      const own = scopes[file.split(/[\\/]/)[1]!] ?? { ...graph };
      await run(code, {
        ...own,
        ...scope,
        ...(file.includes("graph") ? graph : {}),
        ...(file.includes("tasks") ? own : {}),
      });
    });
});
