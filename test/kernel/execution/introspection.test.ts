import assert from "node:assert/strict";
import type { Json } from "../../../kernel/protocol/message.js";
import { kernelOfSuite } from "../client.js";

describe("the language service", () => {
  const kernel = kernelOfSuite();
  const length = (code: string): number => [...code].length;

  async function complete(code: string, cursor = length(code)): Promise<Json & { matches: string[] }> {
    const { reply } = await kernel().request("complete_request", { code, cursor_pos: cursor });
    return reply as Json & { matches: string[] };
  }

  async function inspect(code: string, cursor: number): Promise<string> {
    const { reply } = await kernel().request("inspect_request", {
      code,
      cursor_pos: cursor,
      detail_level: 0,
    });
    return reply.found ? String((reply.data as Json)["text/plain"]) : "";
  }

  const isComplete = async (code: string): Promise<Json> =>
    (await kernel().request("is_complete_request", { code })).reply;

  before(async () => {
    await kernel().run("const inspected = { alpha: 1, beta: 'two' };");
  });

  it("completes members, variables of earlier cells and globals, with their kinds", async () => {
    assert.deepEqual((await complete("Math.flo")).matches, ["floor"]);
    const members = await complete("inspected.");
    assert.deepEqual(members.matches, ["alpha", "beta"]);
    const [first] = (members.metadata as Json)._jupyter_types_experimental as Json[];
    assert.equal(first!.type, "property");
    assert.ok((await complete("inspec")).matches.includes("inspected"));
    assert.ok((await complete("process.memoryU")).matches.includes("memoryUsage"));
  });

  it("knows `var` of an earlier cell's blocks", async () => {
    await kernel().run("for (var looped of [{ gamma: 1 }]);");
    assert.deepEqual((await complete("looped.")).matches, ["gamma"]);
    assert.match(await inspect("looped", 3), /var looped: {\s+gamma: number/);
  });

  it("counts code points: after an emoji too", async () => {
    const { cursor_start, cursor_end, matches } = await complete('"😀😀"; inspected.al');
    assert.deepEqual([cursor_start, cursor_end, matches[0]], [16, 18, "alpha"]);
  });

  it("completes in the middle of a cell", async () => {
    const code = "const a = Math.ab;\nconsole.log(a)";
    assert.deepEqual((await complete(code, code.indexOf(";"))).matches, ["abs"]);
  });

  it("completes magics, their options and what they offer", async () => {
    assert.deepEqual((await complete("%lsm")).matches, ["lsmagic"]);
    assert.deepEqual((await complete("%%mark")).matches, ["markdown"]);
    assert.ok((await complete("%env PAT")).matches.includes("PATH"));
    assert.deepEqual((await complete("const x = 1;\n%lsm")).matches, ["lsmagic"]);
  });

  it("inspects values, functions with their documentation, and magics", async () => {
    assert.match(await inspect("inspected", 3), /const inspected: {\s+alpha: number/);
    assert.match(await inspect("Math.floor(1)", 6), /Returns the greatest integer/);
    assert.match(await inspect("%time 1", 2), /how long a line/);
    assert.equal(await inspect("   ", 1), "");
  });

  it("inspects the function that is being called, from between its parentheses", async () => {
    const inside = async (code: string): Promise<string> => inspect(code.replace("|", ""), code.indexOf("|"));
    assert.match(await inside("Math.floor(|"), /Returns the greatest integer/);
    assert.match(await inside("Math.max(1, |)"), /Returns the larger/);
    assert.match(await inside('parseInt("1|2", 10)'), /Converts a string to an integer/);
    assert.match(await inside("Math.max(Math.floor(1.5|))"), /Returns the greatest integer/);
    assert.match(await inside("Math.max(Math.floor(1.5), |)"), /Returns the larger/);
    assert.match(await inside("Math.max(inspected|.alpha)"), /const inspected/);
    assert.match(await inside("new Map(|"), /Map/);
  });

  it("completes and documents models and caches", async () => {
    await kernel().run(
      'import { loadModel } from "tslens"; const model = await loadModel("tiny-world");\n' +
        'const { cache } = await model.runWithCache("Mary gave");',
    );
    const { matches } = await complete("model.");
    for (const name of ["runWithCache", "generate", "hookNames", "toTokens"])
      assert.ok(matches.includes(name));
    assert.deepEqual((await complete("cache.ge")).matches, ["get", "getFullResidDecomposition"]);
    assert.match(await inspect("model.runWithCache", 8), /Runs the model and keeps the values of points/);
    const documented = await inspect("cache.get(", 10);
    assert.match(documented, /ActivationCache\.get\(name: string, layer\?: number/);
    assert.match(documented, /A point's value\.[\s\S]*@example/);
    const point = await complete('await model.runWithCache("Mary", { names: ["blocks.0.attn.hook_pat');
    assert.deepEqual(point.matches, ["blocks.0.attn.hook_pattern"]);
    assert.deepEqual((await complete('cache.get("unembed.hook_o")', 25)).matches, ["unembed.hook_out"]);
    assert.deepEqual((await complete('await loadModel("tiny-w')).matches, ["tiny-world"]);
    const options = await complete('await model.generate("Mary", { max');
    assert.ok(options.matches.includes("maxNewTokens"), options.matches.join());
  });

  it("knows complete, incomplete and invalid cells", async () => {
    assert.equal((await isComplete("const x = 1")).status, "complete");
    assert.equal((await isComplete("%time f(1)\nconst x = 1")).status, "complete");
    assert.deepEqual(await isComplete("function f() {"), { status: "incomplete", indent: "  " });
    assert.equal((await isComplete("const = = 3")).status, "invalid");
    assert.equal((await isComplete("%%html")).status, "incomplete");
  });

  it("gives types of the libraries that this Node has, and no others", async () => {
    const [major] = process.versions.node.split(".").map(Number);
    const code = "new Set([1]).union(new Set([2])).size";
    const { reply } = await kernel().run(code);
    assert.equal(reply.status, major! >= 22 ? "ok" : "error");
    assert.equal(await kernel().valueOf("[3, 1].toSorted()[0]"), "1");
  });

  it("keeps typed arrays typed", async () => {
    await kernel().run("const floats = new Float32Array(2);");
    assert.match(await inspect("floats", 2), /Float32Array/);
  });

  it("remembers the session: tail, range and search", async () => {
    const history = async (content: Json): Promise<unknown[][]> => {
      const { reply } = await kernel().request("history_request", { raw: true, output: false, ...content });
      return reply.history as unknown[][];
    };
    const { reply } = await kernel().run("'remembered 1'");
    await kernel().run("'remembered 2'");
    await kernel().run("'remembered 2'");
    await kernel().run("'forgotten'", { store_history: false });
    const line = Number(reply.execution_count);
    assert.deepEqual(await history({ hist_access_type: "tail", n: 2 }), [
      [0, line + 1, "'remembered 2'"],
      [0, line + 2, "'remembered 2'"],
    ]);
    assert.deepEqual(await history({ hist_access_type: "range", session: 0, start: line, stop: line + 1 }), [
      [0, line, "'remembered 1'"],
    ]);
    const search = { hist_access_type: "search", pattern: "*remembered ?*" };
    assert.equal((await history({ ...search, n: 10 })).length, 3);
    assert.equal((await history({ ...search, unique: true })).length, 2);
    assert.deepEqual((await history({ hist_access_type: "tail", n: 1, output: true }))[0], [
      0,
      line + 2,
      ["'remembered 2'", "'remembered 2'"],
    ]);
  });
});
