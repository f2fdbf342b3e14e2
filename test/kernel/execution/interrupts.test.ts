import assert from "node:assert/strict";
import { type Answer, kernelOfSuite, ofType, textOf } from "../client.js";

describe("the stop button", () => {
  const kernel = kernelOfSuite();
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

  before(async () => {
    await kernel().run('let kept = 0; import { readFile } from "node:fs";');
  });

  /** Runs a cell that says when it is under way, and stops it. */
  async function stop(code: string, press: () => unknown = () => kernel().interrupt()): Promise<Answer> {
    const id = await kernel().start(`kept++; console.log("under way"); ${code}`);
    await kernel().until(() => textOf(kernel().publishedFor(id)).includes("under way"));
    await pause(50);
    await press();
    return kernel().answer(id);
  }

  it("has a sister in the signal that a terminal sends", async function () {
    if (process.platform === "win32") this.skip();
    for (const code of [
      "await new Promise(() => {});",
      "while (true);",
      "for (;;) await new Promise((done) => setTimeout(done, 5));",
    ]) {
      const { reply } = await stop(`kept--; ${code}`, () => kernel().process.kill("SIGINT"));
      assert.equal(reply.ename, "KeyboardInterrupt", code);
      assert.equal(await kernel().valueOf("1 + 1"), "2");
    }
  });

  const cells: Record<string, string> = {
    "a cell that awaits": "await new Promise(() => {});",
    "a loop at the start of a cell": "while (true);",
    "a loop after an await": "await null; await new Promise((done) => setTimeout(done, 1)); while (true);",
    "a loop that prints":
      'while (true) { const end = Date.now() + 20; while (Date.now() < end); console.log("more"); }',
    "a loop in a timer": "setTimeout(() => { while (true); }, 1); await new Promise(() => {});",
    "a loop in an imported timer":
      'const timers = await import("node:timers"); timers.setTimeout(() => { while (true); }, 1); await new Promise(() => {});',
    "a loop in setImmediate": "setImmediate(() => { while (true); }); await new Promise(() => {});",
    "a loop in a callback of Node":
      'readFile("/dev/null", () => { while (true); }); await new Promise(() => {});',
    "a loop that catches everything": "while (true) { try { while (true); } catch {} }",
    "a sort that never ends":
      "await null; for (;;) Array.from({ length: 1e5 }, Math.random).sort(() => Math.random() - 0.5);",
  };
  for (const [what, code] of Object.entries(cells)) {
    it(`stops ${what}`, async () => {
      const { reply, published } = await stop(code);
      assert.deepEqual([reply.status, reply.ename], ["error", "KeyboardInterrupt"]);
      assert.equal(ofType(published, "error").length, 1);
      assert.equal(await kernel().valueOf('"the next cell runs"'), "'the next cell runs'");
    });
  }

  it("keeps all variables", async () => {
    assert.equal(await kernel().valueOf("kept"), String(Object.keys(cells).length));
    await stop("let inside = 5; while (true);");
    assert.equal(await kernel().valueOf("inside"), "5");
  });

  it("ends the timers that the cell has set", async () => {
    const { published } = await stop(
      'setInterval(() => console.log("tick"), 20); await new Promise(() => {});',
    );
    const id = published[0]!.parent.msg_id!;
    const before = textOf(kernel().publishedFor(id));
    await kernel().run("await new Promise((done) => setTimeout(done, 150))");
    assert.equal(textOf(kernel().publishedFor(id)), before);
  });

  const endless: Record<string, string> = {
    "that sleep": "for (;;) { await new Promise((done) => setTimeout(done, 5)); turns++; }",
    "that sleep by a promise of Node": "for (;;) { await sleep(5); turns++; }",
    "over ticks": "for await (const _ of every(5)) turns++;",
    "that are settled at once": "for (;;) { await Promise.resolve(); turns++; }",
    "of the event loop": "for (;;) { await new Promise((done) => setImmediate(done)); turns++; }",
    "that read files": 'for (;;) { await read("/dev/null"); turns++; }',
    "in a function of an earlier cell": "await readOn();",
    "that nobody waits for": "readOn(); await new Promise(() => {});",
    "that set timers": 'for (;;) { await read("/dev/null"); setTimeout(() => turns++, 1); turns++; }',
    "that catch everything":
      'for (;;) { try { await read("/dev/null"); turns++; } catch { await new Promise((done) => setTimeout(done, 5)); } }',
  };

  it("leaves nothing of a cell's awaiting loops", async () => {
    await kernel().run(
      'import { readFile as read } from "node:fs/promises"; import { setInterval as every, setTimeout as sleep } from "node:timers/promises";\n' +
        'let turns = 0; async function readOn() { for (;;) { await read("/dev/null"); turns++; } }',
    );
    for (const [what, code] of Object.entries(endless)) {
      await kernel().run("turns = 0;");
      const { reply, published } = await stop(code);
      assert.equal(reply.ename, "KeyboardInterrupt", what);
      const before = await kernel().valueOf("turns");
      assert.notEqual(before, "0", what);
      await kernel().run("await new Promise((done) => setTimeout(done, 60))");
      assert.equal(await kernel().valueOf("turns"), before, what);
      assert.equal(textOf(kernel().publishedFor(published[0]!.parent.msg_id!), "stderr"), "", what);
    }
  });

  it("lets the cell that is stopped clean up, and its functions serve later cells", async () => {
    await kernel().run(
      "let closed = 0; async function waitLong() { await null; closed++; return 'served'; }",
    );
    await stop('try { for (;;) await read("/dev/null"); } finally { closed++; }');
    await kernel().run("await new Promise((done) => setTimeout(done, 60))");
    assert.equal(await kernel().valueOf("[closed, await waitLong(), closed]"), "[ 1, 'served', 2 ]");
  });

  it("needs nothing of the kernel in functions that a cell sends to a worker as text", async () => {
    await kernel().run(
      'import { Worker } from "node:worker_threads"; import { once as happens } from "node:events";\n' +
        "async function sum() { let all = await Promise.resolve(1); for await (const x of [2, 3]) all += x; return all; }\n" +
        'const text = `(${sum})().then((all) => require("node:worker_threads").parentPort.postMessage(all))`;',
    );
    assert.equal(
      await kernel().valueOf('await happens(new Worker(text, { eval: true }), "message")'),
      "[ 6 ]",
    );
  });

  it("aborts the cells that were queued", async () => {
    const spinning = await kernel().start("while (true);");
    const queued = await kernel().start("1");
    await pause(300);
    await kernel().interrupt();
    assert.equal((await kernel().answer(spinning)).reply.ename, "KeyboardInterrupt");
    assert.equal((await kernel().answer(queued)).reply.status, "aborted");
  });

  it("does nothing to a kernel that is idle", async () => {
    await kernel().interrupt();
    assert.equal(await kernel().valueOf("1 + 1"), "2");
  });

  it("ends a question to the reader", async () => {
    const id = await kernel().start('prompt("?")', { allow_stdin: true });
    await kernel().question();
    await kernel().interrupt();
    assert.equal((await kernel().answer(id)).reply.ename, "KeyboardInterrupt");
  });

  it("can be pressed again and again", async () => {
    for (let i = 0; i < 10; i++) {
      const { reply } = await stop(i % 2 ? "while (true);" : "await new Promise(() => {});");
      assert.equal(reply.ename, "KeyboardInterrupt");
    }
  });
});

describe("a kernel that spins", () => {
  const kernel = kernelOfSuite();

  it("answers heartbeat, control and shows its output", async () => {
    const id = await kernel().start(
      'while (true) { const end = Date.now() + 20; while (Date.now() < end); console.log("live"); }',
    );
    await kernel().until(() => textOf(kernel().publishedFor(id)).includes("live\nlive"));
    assert.equal(await kernel().beat(), "beat");
    const { reply } = await kernel().request("kernel_info_request", {}, "control");
    assert.equal(reply.implementation, "tslens");
  });

  it("shuts down", async () => {
    await kernel().shutDown();
    assert.notEqual(kernel().process.exitCode ?? kernel().process.signalCode, null);
  });
});
