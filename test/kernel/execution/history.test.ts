import assert from "node:assert/strict";
import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { History } from "../../../kernel/execution/history.js";
import { scratchFolder } from "../../scratch.js";
import { TestClient } from "../client.js";

describe("the history", () => {
  const scratch = scratchFolder();
  const warnings: string[] = [];
  const session = (folder: string): History => new History(folder, (sentence) => warnings.push(sentence));
  const tail = (history: History, n: number): unknown => history.answer({ hist_access_type: "tail", n });

  it("holds the inputs and outputs of this session", () => {
    const history = session(scratch("one"));
    history.add(1, "6 * 7");
    history.setOutput(1, "42");
    history.add(2, "void 0");
    assert.deepEqual(tail(history, 1), [[1, 2, "void 0"]]);
    assert.deepEqual(history.answer({ hist_access_type: "range", session: 0, output: true }), [
      [1, 1, ["6 * 7", "42"]],
      [1, 2, ["void 0", null]],
    ]);
    assert.deepEqual(history.answer({ hist_access_type: "range", session: 0, start: 1, stop: 2 }), [
      [1, 1, "6 * 7"],
    ]);
  });

  it("reaches back over sessions: tail, range by number and by distance, and search", () => {
    const folder = scratch("three");
    const inputs = [["let a = 1", "a"], ["let b = 2"], ["a", "a + b"]];
    for (const lines of inputs) {
      const history = session(folder);
      for (const [i, input] of lines.entries()) history.add(i + 1, input);
    }
    const now = session(folder);
    now.add(1, "a");
    assert.deepEqual(tail(now, 3), [
      [3, 1, "a"],
      [3, 2, "a + b"],
      [4, 1, "a"],
    ]);
    assert.equal((tail(now, 100) as unknown[]).length, 6);
    const range = (session: number): unknown => now.answer({ hist_access_type: "range", session });
    assert.deepEqual(range(2), [[2, 1, "let b = 2"]]);
    assert.deepEqual(range(-2), [[2, 1, "let b = 2"]]);
    assert.deepEqual(range(-9), []);
    assert.deepEqual(range(9), []);
    const search = (request: object): unknown => now.answer({ hist_access_type: "search", ...request });
    assert.deepEqual(search({ pattern: "let*" }), [
      [1, 1, "let a = 1"],
      [2, 1, "let b = 2"],
    ]);
    assert.deepEqual(search({ pattern: "a", unique: true }), [[4, 1, "a"]]);
    assert.deepEqual(search({ pattern: "a*", n: 2 }), [
      [3, 2, "a + b"],
      [4, 1, "a"],
    ]);
  });

  it("gives each of two kernels a session of its own, and bothers neither with a broken line", () => {
    const folder = scratch("two");
    const [first, second] = [session(folder), session(folder)];
    first.add(1, "first");
    second.add(1, "second");
    appendFileSync(`${folder}/1.jsonl`, '{"line":2,"inp');
    const third = session(folder);
    assert.deepEqual(tail(third, 10), [
      [1, 1, "first"],
      [2, 1, "second"],
    ]);
    assert.deepEqual(readdirSync(folder).sort(), ["1.jsonl", "2.jsonl", "3.jsonl"]);
  });

  it("remembers this session where the folder cannot be written, and says so once", () => {
    writeFileSync(scratch("file"), "");
    const history = session(scratch("file"));
    warnings.length = 0;
    history.add(1, "a");
    history.add(2, "b");
    assert.deepEqual(tail(history, 5), [
      [1, 1, "a"],
      [1, 2, "b"],
    ]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^The history of this session is not kept on disk: /);
  });

  it("is there after the kernel was restarted, also when it was killed", async () => {
    const history = scratch("kernel");
    const first = await TestClient.start({ history });
    await first.run("6 * 7");
    await first.run("'silent'", { silent: true });
    await first.run("'not stored'", { store_history: false });
    first.close();
    const second = await TestClient.start({ history });
    await second.run("1 + 1");
    const { reply } = await second.request("history_request", {
      hist_access_type: "tail",
      n: 10,
      output: true,
      raw: true,
    });
    assert.deepEqual(reply.history, [
      [1, 1, ["6 * 7", "42"]],
      [2, 1, ["1 + 1", "2"]],
    ]);
    await second.shutDown();
  });
});
