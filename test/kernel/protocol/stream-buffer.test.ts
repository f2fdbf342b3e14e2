import assert from "node:assert/strict";
import { StreamBuffer, type StreamText } from "../../../kernel/protocol/stream-buffer.js";

describe("the stream buffer", () => {
  function recorder(): { buffer: StreamBuffer; published: StreamText[] } {
    const published: StreamText[] = [];
    return { buffer: new StreamBuffer((text) => published.push(text)), published };
  }

  it("joins what one cell writes to one stream", () => {
    const { buffer, published } = recorder();
    for (const text of ["a", "b", "c"]) buffer.write({ parent: "1", name: "stdout", text });
    buffer.flush();
    assert.deepEqual(published, [{ parent: "1", name: "stdout", text: "abc" }]);
  });

  it("keeps the order between cells and between streams", () => {
    const { buffer, published } = recorder();
    buffer.write({ parent: "1", name: "stdout", text: "a" });
    buffer.write({ parent: "1", name: "stderr", text: "b" });
    buffer.write({ parent: "2", name: "stderr", text: "c" });
    buffer.flush();
    assert.deepEqual(
      published.map(({ text }) => text),
      ["a", "b", "c"],
    );
  });

  it("publishes long text in pieces and loses none", () => {
    const { buffer, published } = recorder();
    for (let i = 0; i < 300; i++) buffer.write({ parent: "1", name: "stdout", text: "x".repeat(1000) });
    buffer.flush();
    assert.ok(published.length > 1);
    assert.equal(published.map(({ text }) => text).join("").length, 300_000);
  });

  it("publishes by itself", async () => {
    const published = await new Promise<StreamText>((resolve) => {
      new StreamBuffer(resolve).write({ parent: "1", name: "stdout", text: "soon" });
    });
    assert.equal(published.text, "soon");
  });
});
