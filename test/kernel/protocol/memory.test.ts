import assert from "node:assert/strict";
import { once } from "node:events";
import { isShort } from "../../../kernel/protocol/memory-watch.js";
import { ofType, TestClient } from "../client.js";

/** A heap that is full within seconds. */
const options = "--max-old-space-size=400";

describe("a cell that uses up the memory", () => {
  let client: TestClient | undefined;
  afterEach(() => client?.close());

  async function fill(code: string): Promise<{ evalue: string; errors: number; exit: Promise<unknown> }> {
    client = await TestClient.start({ options });
    const exit = once(client.process, "exit");
    await client.run("let kept = 5;");
    const { reply, published } = await client.run(code);
    assert.equal(reply.ename, "OutOfMemory");
    return { evalue: String(reply.evalue), errors: ofType(published, "error").length, exit };
  }

  it("is stopped with a sentence, and what its functions hold is given back", async () => {
    const { evalue, errors } = await fill(
      "(() => { const rows: unknown[] = []; while (true) rows.push(new Array(1e4).fill(1)); })()",
    );
    assert.match(evalue, /0\.\d GB of the 0\.\d GB that values of JavaScript may take .* variables are kept/);
    assert.equal(errors, 1);
    assert.equal(await client!.valueOf("kept"), "5");
  });

  it("ends the kernel with a sentence where its variables hold it", async () => {
    const { evalue, errors, exit } = await fill(
      "const rows: unknown[] = []; while (true) rows.push(new Array(1e4).fill(1));",
    );
    assert.match(evalue, /so the kernel ends\. A restart begins without variables/);
    assert.equal(errors, 1);
    await exit;
  });

  it("also where it awaits in between", async () => {
    const { evalue, exit } = await fill(
      "const rows: unknown[] = []; while (true) { rows.push(new Array(1e5).fill(1)); await new Promise(setImmediate); }",
    );
    assert.match(evalue, /so the kernel ends/);
    await exit;
  });

  it("is answered in its last moment where one value is larger than the heap", async () => {
    const { evalue, errors, exit } = await fill("new Array(1e8).fill(0)");
    assert.match(evalue, /The kernel ends: its JavaScript engine has met a fatal error/);
    assert.equal(errors, 1);
    await exit;
  });

  it("gets an ordinary error for a typed array that nothing could hold", async () => {
    client = await TestClient.start({ options });
    assert.equal((await client.run("new Float64Array(1e12)")).reply.ename, "RangeError");
    assert.equal(await client.valueOf("1 + 1"), "2");
  });
});

describe("the machine's memory", () => {
  const GB = 1e9;

  it("is short where the process holds nearly all of it, or half of it and nothing is left", () => {
    assert.ok(isShort({ own: 1.7 * GB, total: 2 * GB, available: GB }));
    assert.ok(isShort({ own: 1.2 * GB, total: 2 * GB, available: 0.05 * GB }));
  });

  it("is not short where others hold it, or files do", () => {
    assert.ok(!isShort({ own: 0.5 * GB, total: 2 * GB, available: 0.05 * GB }));
    assert.ok(!isShort({ own: 1.2 * GB, total: 2 * GB, available: 0.3 * GB }));
  });
});

describe("500 cells", () => {
  it("leave the memory as it was", async () => {
    const client = await TestClient.start();
    const held = async (): Promise<number> => {
      const code =
        '{ const { setFlagsFromString } = await import("node:v8"); setFlagsFromString("--expose-gc");\n' +
        '  const { runInNewContext } = await import("node:vm"); runInNewContext("gc")(); }\n' +
        "process.memoryUsage().heapUsed";
      return Number(await client.valueOf(code));
    };
    const run = async (cells: number): Promise<void> => {
      for (let i = 0; i < cells; i++)
        await client.run(`const value${i % 50} = [${i}]; const read = () => value${i % 50}; read()`);
    };
    await run(20);
    const before = await held();
    await run(500);
    const grown = (await held()) - before;
    await client.shutDown();
    assert.ok(grown < 50e6, `${(grown / 1e6).toFixed(0)} MB more than before`);
  });
});
