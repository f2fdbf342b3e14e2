import assert from "node:assert/strict";
import type { Json } from "../../../kernel/protocol/message.js";
import { kernelOfSuite, ofType, plain, textOf } from "../client.js";

describe("a cell", () => {
  const kernel = kernelOfSuite();

  it("has the value of its last expression as its result", async () => {
    const { reply, published } = await kernel().run("const answer: number = 6 * 7;\nanswer");
    assert.equal(reply.status, "ok");
    const [result] = ofType(published, "execute_result");
    assert.deepEqual(result!.content.data, { "text/plain": "42" });
    assert.equal(result!.content.execution_count, reply.execution_count);
  });

  it("begins with busy and ends with idle, and shows its input", async () => {
    const { published } = await kernel().run("1");
    const types = published.map(({ header }) => header.msg_type);
    assert.deepEqual(types, ["status", "execute_input", "execute_result", "status"]);
    assert.equal(published[0]!.content.execution_state, "busy");
    assert.equal(published.at(-1)!.content.execution_state, "idle");
  });

  it("shows nothing for undefined", async () => {
    assert.deepEqual(ofType((await kernel().run("undefined")).published, "execute_result"), []);
  });

  it("awaits at the top level, in every form", async () => {
    assert.equal(await kernel().valueOf("await (Promise.resolve(5))"), "5");
    assert.equal(await kernel().valueOf("let sum = 0; for await (const x of [1, 2]) sum += x; sum"), "3");
    assert.equal(
      await kernel().valueOf("Promise.resolve('a promise as last value')"),
      "'a promise as last value'",
    );
    const disposed = await kernel().run(
      "{ await using file = { async [Symbol.asyncDispose]() { console.log('closed'); } }; }",
    );
    assert.equal(textOf(disposed.published), "closed\n");
  });

  it("awaits inside of blocks, templates, patterns and loops", async () => {
    const values: Record<string, string> = {
      "`${await Promise.resolve(1)}`": "'1'",
      "const { a: [first], ...rest } = await Promise.resolve({ a: [1], b: 2 }); [first, rest]":
        "[ 1, { b: 2 } ]",
      "({ ...(await Promise.resolve({ z: 1 })), k: await null })": "{ z: 1, k: null }",
      "let seen = 0; if (await Promise.resolve(true)) { for (const x of await Promise.resolve([1, 2])) seen += x; } seen":
        "3",
      "let told = ''; try { await Promise.reject(new Error('no')); } catch (error) { told = (error as Error).message; } told":
        "'no'",
      "let turns = 0; label: for (;;) { while (await Promise.resolve(true)) { turns++; break label; } } turns":
        "1",
      "await (async () => { for await (const x of (async function* () { yield 5; })()) return x; })()": "5",
    };
    for (const [code, value] of Object.entries(values))
      assert.equal(await kernel().valueOf(code), value, code);
  });

  it("disposes of what `using` and `await using` hold", async () => {
    const { published } = await kernel().run(
      "{ using a = { [Symbol.dispose]: () => console.log('a') };\n" +
        "  await using b = { [Symbol.asyncDispose]: async () => console.log('b') }; }",
    );
    assert.equal(textOf(published), "b\na\n");
  });

  it("is written in today's syntax", async () => {
    const values: Record<string, string> = {
      "/[\\p{L}--[a-z]]/v.test('A')": "true",
      "12n ** 3n": "1728n",
      "({ a: 1 }) satisfies Record<string, number>": "{ a: 1 }",
      "function constant<const T>(value: T): T { return value; }\nconst tuple: readonly [1, 2] = constant([1, 2]); tuple":
        "[ 1, 2 ]",
      "class Counter { #count = 0; static made = 0; static { Counter.made = 1; } next() { return ++this.#count; } }\nnew Counter().next()":
        "1",
      "import { join, type ParsedPath } from 'node:path'; join('a', 'b')": "'a/b'",
    };
    for (const [code, value] of Object.entries(values))
      assert.equal(await kernel().valueOf(code), value, code);
  });

  it("answers a thrown error with exactly one error, whose traceback points to the line", async () => {
    const { reply, published } = await kernel().run(
      'interface Unused { a: string }\n\nfunction f(): never {\n  throw new RangeError("boom");\n}\n\nf();',
    );
    assert.equal(ofType(published, "error").length, 1);
    const { ename, evalue, traceback } = ofType(published, "error")[0]!.content;
    assert.deepEqual([ename, evalue], ["RangeError", "boom"]);
    assert.deepEqual([reply.status, reply.ename, reply.evalue], ["error", "RangeError", "boom"]);
    const text = plain((traceback as string[]).join("\n"));
    assert.match(text, /> 4 \| {3}throw new RangeError\("boom"\);/);
    assert.match(text, /at f \(cell-\d+\.ts:4:9\)/);
    assert.match(text, /at cell-\d+\.ts:7:1/);
    assert.doesNotMatch(text, /node:|dist\/kernel|tslab/);
  });

  it("describes what is thrown and is no Error, and causes", async () => {
    const thrown = await kernel().run("throw { code: 7 }");
    assert.equal(thrown.reply.evalue, "{ code: 7 }");
    const caused = await kernel().run('throw new Error("outer", { cause: new TypeError("inner") })');
    assert.match((caused.reply.traceback as string[]).join("\n"), /Caused by TypeError: inner/);
  });

  it("answers a type error with the line, the code and the place marked", async () => {
    const { published } = await kernel().run("const n = 1;\nconst s: string = n;");
    const [error] = ofType(published, "error");
    assert.equal(error!.content.ename, "TypeScriptError");
    assert.match(
      String(error!.content.evalue),
      /2:7 - TS2322: Type 'number' is not assignable to type 'string'/,
    );
    const frame = plain(String((error!.content.traceback as string[])[0]));
    assert.match(frame, /> 2 \| const s: string = n;\n {4}\| {7}\^/);
  });

  it("imports ES modules, CommonJS modules and types", async () => {
    const code =
      'import { join } from "node:path";\nimport type { Stats } from "node:fs";\nlet s: Stats | undefined;\njoin("a", "b")';
    assert.equal(await kernel().valueOf(code), "'a/b'");
    assert.equal(await kernel().valueOf('(await import("node:os")).EOL.length > 0'), "true");
  });

  it("prints 20,000 lines and none is lost", async () => {
    const { published } = await kernel().run("for (let i = 0; i < 20_000; i++) console.log(i);");
    const lines = textOf(published).trimEnd().split("\n");
    assert.deepEqual(
      lines,
      Array.from({ length: 20_000 }, (_, i) => String(i)),
    );
  });

  it("gets the output of its timers, also when a later cell runs", async () => {
    const first = await kernel().start('setTimeout(() => console.log("late"), 100); 1');
    await kernel().answer(first);
    await kernel().run("await new Promise((done) => setTimeout(done, 300))");
    assert.equal(textOf(kernel().publishedFor(first)), "late\n");
  });

  it("shows errors that nobody caught, and the kernel lives", async () => {
    const wait = "await new Promise((done) => setTimeout(done, 50));";
    const timer = await kernel().run(`setTimeout(() => { throw new Error("in a timer"); }, 1); ${wait} 1`);
    assert.match(textOf(timer.published, "stderr"), /Error: in a timer/);
    const rejected = await kernel().run(`void Promise.reject(new Error("rejected")); ${wait} 1`);
    assert.match(textOf(rejected.published, "stderr"), /Error: rejected/);
    assert.equal(rejected.reply.status, "ok");
  });

  it("cannot end the kernel, and is told of the restart button", async () => {
    const { reply } = await kernel().run("process.exit(1)");
    assert.match(String(reply.evalue), /restart button/);
    assert.equal(await kernel().valueOf("1 + 1"), "2");
  });

  it("silent publishes nothing, counts nothing and still runs", async () => {
    const { reply } = await kernel().run("var quiet = 1;");
    const silent = await kernel().run("quiet = 2; quiet", { silent: true });
    assert.deepEqual(
      silent.published.map(({ header }) => header.msg_type),
      ["status", "status"],
    );
    const next = await kernel().run("quiet");
    assert.equal(next.reply.execution_count, Number(reply.execution_count) + 1);
    assert.deepEqual(ofType(next.published, "execute_result")[0]!.content.data, { "text/plain": "2" });
  });

  it("evaluates user expressions, each with its own error", async () => {
    const { reply } = await kernel().run("const u = 20;", {
      user_expressions: { good: "u + 1", bad: "nothing.at.all" },
    });
    const { good, bad } = reply.user_expressions as Record<string, Json>;
    assert.deepEqual(good!.data, { "text/plain": "21" });
    assert.equal(bad!.status, "error");
  });

  it("that fails aborts what was queued behind it, and nothing that comes later", async () => {
    const failing = await kernel().start("await new Promise((done) => setTimeout(done, 100)); throw 1");
    const queued = [await kernel().start('console.log("never")'), await kernel().start("2")];
    assert.equal((await kernel().answer(failing)).reply.status, "error");
    for (const id of queued) {
      const { reply, published } = await kernel().answer(id);
      assert.equal(reply.status, "aborted");
      assert.equal(textOf(published), "");
    }
    const later = await kernel().run("'later'");
    assert.equal(later.reply.status, "ok");
    const failed = (await kernel().answer(failing)).reply;
    assert.equal(later.reply.execution_count, Number(failed.execution_count) + 1, "no number is used up");
  });

  it("that fails without yielding aborts what was queued behind it too", async () => {
    const failing = await kernel().start("const end = Date.now() + 300; while (Date.now() < end); throw 1");
    const queued = await kernel().start("2");
    assert.equal((await kernel().answer(failing)).reply.status, "error");
    assert.equal((await kernel().answer(queued)).reply.status, "aborted");
  });

  it("that fails leaves the queue alone where stop_on_error is false", async () => {
    const failing = await kernel().start("throw 1", { stop_on_error: false });
    const queued = await kernel().start("'ran'");
    await kernel().answer(failing);
    assert.equal((await kernel().answer(queued)).reply.status, "ok");
  });

  it("asks the reader, and gets null where the front end cannot ask", async () => {
    const id = await kernel().start('const name = prompt("Your name?"); name', { allow_stdin: true });
    const question = await kernel().question();
    assert.deepEqual(question.content, { prompt: "Your name? ", password: false });
    await kernel().reply(question, "Ada");
    const { published } = await kernel().answer(id);
    assert.deepEqual(ofType(published, "execute_result")[0]!.content.data, { "text/plain": "'Ada'" });
    assert.equal(await kernel().valueOf('String(prompt("?"))'), "'null'");
  });

  it("asks for a secret without showing what is typed, and for a yes or no", async () => {
    const id = await kernel().start('[promptSecret("Token"), confirm("Sure?")]', { allow_stdin: true });
    const secret = await kernel().question();
    assert.deepEqual(secret.content, { prompt: "Token ", password: true });
    assert.equal(secret.parent.msg_id, id);
    await kernel().reply(secret, "s3cret");
    const sure = await kernel().question();
    assert.deepEqual(sure.content, { prompt: "Sure? [y/N] ", password: false });
    await kernel().reply(sure, "y");
    const { published } = await kernel().answer(id);
    assert.deepEqual(ofType(published, "execute_result")[0]!.content.data, {
      "text/plain": "[ 's3cret', true ]",
    });
  });

  it("gets null for a question that one of its timers asks when it is over", async () => {
    const id = await kernel().start('setTimeout(() => console.log(String(prompt("?"))), 50); 1', {
      allow_stdin: true,
    });
    await kernel().answer(id);
    await kernel().until(() => textOf(kernel().publishedFor(id)) !== "");
    assert.equal(textOf(kernel().publishedFor(id)), "null\n");
  });

  it("displays, updates and clears through tslab's functions", async () => {
    const { published } = await kernel().run(
      'import * as tslab from "tslab"; const d = tslab.newDisplay(); d.html("<b>1</b>"); d.html("<b>2</b>");',
    );
    const [shown] = ofType(published, "display_data");
    const [updated] = ofType(published, "update_display_data");
    assert.deepEqual(updated!.content.data, { "text/html": "<b>2</b>" });
    assert.deepEqual(shown!.content.transient, updated!.content.transient);
  });

  it("refuses an output that no notebook could hold, and says so", async () => {
    const code = '({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "x".repeat(100 * 2 ** 20) }) })';
    const { reply, published } = await kernel().run(code);
    assert.equal(reply.status, "ok");
    const data = ofType(published, "execute_result")[0]!.content.data as Json;
    assert.deepEqual(Object.keys(data), ["text/plain"]);
    assert.match(String(data["text/plain"]), /text\/html of 100 MB/);
  });
});
