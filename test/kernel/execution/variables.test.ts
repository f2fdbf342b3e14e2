import assert from "node:assert/strict";
import { kernelOfSuite, plain } from "../client.js";

describe("a cell with variables", () => {
  const kernel = kernelOfSuite();

  it("declares classes, functions, types, enums and namespaces that later cells use and declare anew", async () => {
    await kernel().run(
      "class Shape { sides = 3 }\nfunction name() { return 'first'; }\n" +
        "type Pair = [number, number];\ninterface Named { name: string }\nenum Colour { Red }\nnamespace Space { export const z = 5; }",
    );
    assert.equal(
      await kernel().valueOf(
        "const named: Named & { pair: Pair } = { name: name(), pair: [Colour.Red, Space.z] };\n[named.name, ...named.pair, new Shape().sides]",
      ),
      "[ 'first', 0, 5, 3 ]",
    );
    await kernel().run("const called = () => name();");
    await kernel().run(
      "class Shape { corners = 4 }\nfunction name() { return 'second'; }\ntype Pair = string;\nenum Colour { Blue = 7 }",
    );
    assert.equal(
      await kernel().valueOf("const pair: Pair = called(); [pair, Colour.Blue, new Shape().corners]"),
      "[ 'second', 7, 4 ]",
    );
  });

  it("declares variables that later cells use and declare anew", async () => {
    await kernel().run("const x = [1, 2, 3];");
    assert.equal(await kernel().valueOf("x.toSorted((a, b) => b - a)"), "[ 3, 2, 1 ]");
    await kernel().run('const x = "now a text";');
    assert.equal(await kernel().valueOf("x.toUpperCase()"), "'NOW A TEXT'");
  });

  it("puts variables of earlier cells into objects by their names alone, and takes them out", async () => {
    await kernel().run("let short = 1; const other = async () => 2;");
    assert.equal(
      await kernel().valueOf("const both = { short, other }; both.short + (await both.other())"),
      "3",
    );
    assert.equal(
      await kernel().valueOf("JSON.stringify([{ short }, (() => ({ short }))()])"),
      `'[{"short":1},{"short":1}]'`,
    );
    await kernel().run("({ short } = { short: 7 });");
    assert.equal(await kernel().valueOf("short"), "7");
    await kernel().run("({ short = 9 } = {} as { short?: number });");
    assert.equal(await kernel().valueOf("((short: number) => ({ short }))(4).short + short"), "13");
    const { reply } = await kernel().run("const wide = {\n  short,\n  broken: (null as any).x,\n};");
    assert.match((reply.traceback as string[]).join("\n"), /cell-\d+\.ts:3:/);
  });

  it("declares what has a type that its package does not export, and runs", async () => {
    await kernel().run("const before = 5;");
    const { reply } = await kernel().run(
      'import { newLanguageModel } from "tslens";\n' +
        'const fresh = newLanguageModel({ model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 8, n_positions: 8, vocab_size: 9 });\n' +
        "const batch = async () => fresh.batch([[1, 2, 3]]);",
    );
    assert.equal(reply.status, "ok", plain(String(reply.evalue)));
    assert.equal(await kernel().valueOf("before + Object.keys(await batch()).length > 5"), "true");
  });

  it("sees in its functions what later cells assign to its variables, and they what it assigns", async () => {
    await kernel().run(
      "let level = 1; let [low, { high }] = [0, { high: 9 }];\n" +
        "const read = () => [level, low, high]; const raise = () => { level++; };",
    );
    await kernel().run("level = 10; low += 5; high = 7;");
    assert.equal(await kernel().valueOf("read()"), "[ 10, 5, 7 ]");
    assert.equal(await kernel().valueOf("raise(); level"), "11");
    assert.equal(await kernel().valueOf("for (let i = 0; i < 3; i++) level += i; read()[0]"), "14");
  });

  it("declares a variable anew and leaves the functions of earlier cells theirs", async () => {
    await kernel().run("let source = 1; const ofFirst = () => source;");
    await kernel().run("let source = 'two'; const ofSecond = () => source;");
    await kernel().run("source = 'three';");
    assert.equal(await kernel().valueOf("[ofFirst(), ofSecond(), source]"), "[ 1, 'three', 'three' ]");
    await kernel().run("const source = 4;");
    assert.equal(await kernel().valueOf("[ofFirst(), ofSecond(), source]"), "[ 1, 'three', 4 ]");
  });

  it("calls a function as it was declared last, also from the cells that declared it before", async () => {
    await kernel().run("function task() { return 'first'; }\nconst fromFirst = () => task();");
    await kernel().run("function task() { return 'second'; }\nconst fromSecond = () => task();");
    const called = "[fromFirst(), fromSecond(), task()]";
    assert.equal(await kernel().valueOf(called), "[ 'second', 'second', 'second' ]");
    const { reply } = await kernel().run(
      "function task() { return early; }\nconst early = 'third'; throw 1;",
    );
    assert.equal(reply.status, "error");
    assert.equal(await kernel().valueOf(called), "[ 'third', 'third', 'third' ]");
    await kernel().run("const task = () => 'constant';");
    assert.equal(await kernel().valueOf(called), "[ 'third', 'third', 'constant' ]");
    await kernel().run("function task() { return 'a function again'; }");
    assert.equal(await kernel().valueOf(called), "[ 'third', 'third', 'a function again' ]");
  });

  it("frees what the functions of a cell held that later cells declare anew", async () => {
    await kernel().run(
      "const payload = { some: 'data' }; function usePayload() { return payload; }\nconst token = new WeakRef(payload);",
    );
    await kernel().run("const payload = null; function usePayload() { return payload; }");
    const collect =
      'import v8 from "node:v8"; import vm from "node:vm"; v8.setFlagsFromString("--expose-gc");';
    await kernel().run(
      `${collect} await new Promise((done) => setTimeout(done, 10)); vm.runInNewContext("gc")();`,
    );
    assert.equal(await kernel().valueOf("[usePayload(), token.deref()]"), "[ null, undefined ]");
  });

  it("declares for later cells what `var` declares in its blocks, with its type, and not in its functions", async () => {
    await kernel().run(
      "for (var turn = 0; turn < 3; turn++);\nif (turn > 2) { var text = 'three'; let hidden = 1; }\n" +
        "try { var { first, list: [second = 5, ...others] } = { first: 1n, list: [2, 3] }; } catch {}\n" +
        "for await (var awaited of [Promise.resolve(new Set(['x']))]);\n" +
        "switch (turn) { case 3: label: { var named = { text } as const; } }\n" +
        "function inside() { var own = 1; { var deep = 2; } return own + deep; }\n" +
        "class Holder { static { var still = 1; } }\nconst ofTurn = () => turn;",
    );
    assert.equal(
      await kernel().valueOf("[turn, text, first, second, others, [...awaited], named.text]"),
      "[ 3, 'three', 1n, 2, [ 3 ], [ 'x' ], 'three' ]",
    );
    for (const name of ["hidden", "own", "deep", "still"])
      assert.match(String(await kernel().valueOf(name)), /Cannot find name/);
    assert.match(String(await kernel().valueOf("text = 5;")), /'number' is not assignable to type 'string'/);
    assert.match(
      String(await kernel().valueOf("awaited.has(1)")),
      /not assignable to parameter of type 'string'/,
    );
    assert.equal(await kernel().valueOf("turn = 9; ofTurn()"), "9");
    await kernel().run("while (true) { var turn = 'anew'; break; }");
    assert.equal(await kernel().valueOf("[turn.toUpperCase(), ofTurn()]"), "[ 'ANEW', 9 ]");
  });

  it("declares `var` of blocks with types of packages", async () => {
    await kernel().run(
      'import { newLanguageModel } from "tslens"; import { statSync } from "node:fs";\n' +
        "if (true) { var place = statSync('.');\n" +
        'var small = newLanguageModel({ model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 8, n_positions: 8, vocab_size: 9 }); }',
    );
    assert.equal(await kernel().valueOf("[place.isDirectory(), small.config.nLayers]"), "[ true, 1 ]");
    assert.match(String(await kernel().valueOf("place.no")), /on type 'Stats'/);
    assert.match(String(await kernel().valueOf("small.no")), /on type 'LanguageModel'/);
  });

  it("keeps the variables that were declared before it failed", async () => {
    const { reply } = await kernel().run('const before = 5;\nthrow new Error("after");');
    assert.equal(reply.status, "error");
    assert.equal(await kernel().valueOf("before"), "5");
  });
});
