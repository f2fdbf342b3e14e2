import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../../../kernel/protocol/message.js";
import { repository } from "../../shared.js";
import { type Answer, kernelOfSuite, ofType, plain, textOf } from "../client.js";

const imports =
  'import { Button, Dropdown, HBox, IntSlider, interactive, Output } from "tslens/jupyter-widgets";\n';

describe("core widgets in a running kernel", () => {
  const kernel = kernelOfSuite();

  async function run(code: string): Promise<Answer> {
    const answer = await kernel().run(code);
    assert.equal(answer.reply.status, "ok", plain(String(answer.reply.evalue)));
    return answer;
  }

  /** Sends a reader's change, and waits for what comes of it. */
  async function turn(id: string, data: Json): Promise<void> {
    const sent = await kernel().send("comm_msg", { comm_id: id, data });
    await kernel().until(() => kernel().publishedFor(sent).at(-1)?.content.execution_state === "idle");
  }
  const update = (id: string, state: Json): Promise<void> =>
    turn(id, { method: "update", state, buffer_paths: [] });

  async function idOf(code: string): Promise<string> {
    const { published } = await run(code);
    const { data } = ofType(published, "execute_result")[0]!.content as { data: Json };
    return (data["application/vnd.jupyter.widget-view+json"] as { model_id: string }).model_id;
  }

  before(() => run(imports));

  it("have types, which the compiler checks, and docstrings", async () => {
    const { reply } = await kernel().run('new IntSlider({ value: "a" })');
    assert.match(plain(String(reply.evalue)), /TS2322: Type 'string' is not assignable to type 'number'/);
    const code = "const typed = new IntSlider({ readoutF";
    const { reply: completed } = await kernel().request("complete_request", {
      code,
      cursor_pos: code.length,
    });
    assert.deepEqual(completed.matches, ["readoutFormat"]);
    await run("const typed = new IntSlider({ max: 7 });");
    const inspected = await kernel().request("inspect_request", { code: "typed.readout", cursor_pos: 10 });
    const text = String((inspected.reply.data as Json)["text/plain"]);
    assert.match(text, /Display the current value of the slider next to it\. Default: true\./);
    const { reply: members } = await kernel().request("complete_request", {
      code: "typed.step",
      cursor_pos: 10,
    });
    assert.deepEqual(members.matches, ["step"]);
    await run(
      "const choice = new Dropdown({ options: ['a', 'b'] }); const upper: string = choice.value!.toUpperCase();",
    );
  });

  it("change in the kernel when a reader turns them", async () => {
    const id = await idOf("const slider = new IntSlider({ value: 3 }); slider");
    await update(id, { value: 42 });
    assert.equal(await kernel().valueOf("slider.value"), "42");
    assert.equal(await kernel().valueOf("slider"), "IntSlider(value: 42)");
  });

  it("change while a cell awaits, which sees it", async () => {
    const id = await idOf("const seen = new IntSlider(); seen");
    const cell = await kernel().start(
      "for await (const { name, value } of seen) { console.log(name, value); if (value === 5) break; }\n'over'",
    );
    await kernel().until(() => ofType(kernel().publishedFor(cell), "execute_input").length > 0);
    await update(id, { value: 4 });
    assert.equal(ofType(kernel().publishedFor(cell), "execute_result").length, 0, "the cell still waits");
    await update(id, { value: 5 });
    const { published } = await kernel().answer(cell);
    assert.equal(textOf(published), "value 4\nvalue 5\n");
  });

  it("stop waiting for a reader when the cell is interrupted", async () => {
    await run("const waiting = new IntSlider();");
    const cell = await kernel().start("for await (const change of waiting) console.log(change);");
    await kernel().until(() => ofType(kernel().publishedFor(cell), "execute_input").length > 0);
    await kernel().interrupt();
    assert.equal((await kernel().answer(cell)).reply.ename, "KeyboardInterrupt");
  });

  it("keep apart what an Output captures and what the cell writes, across awaits and after the cell", async () => {
    const { published } = await run(`const output = new Output();
      const captured = output.capture(async () => {
        console.log("inside 1");
        await new Promise((done) => setTimeout(done, 20));
        console.log("inside 2");
        setTimeout(() => console.log("inside 3"), 20);
        const { display, html } = await import("tslens/widgets");
        await display(html\`<b>shown</b>\`);
      });
      for (let i = 0; i < 4; i++) { console.log("outside"); await new Promise((done) => setTimeout(done, 10)); }
      await captured;`);
    assert.equal(textOf(published), "outside\n".repeat(4));
    assert.deepEqual(ofType(published, "display_data"), []);
    await run("await new Promise((done) => setTimeout(done, 150));");
    const kept = String(
      await kernel().valueOf("JSON.stringify(output.outputs.map((o: any) => o.text ?? o.data['text/html']))"),
    );
    assert.equal(kept, `'["inside 1\\\\ninside 2\\\\n","<b>shown</b>","inside 3\\\\n"]'`);
  });

  it("show errors of interact in its output, with the place in the cell", async () => {
    const { published } = await run(`const shown = interactive((x: number) => {
        if (x > 5) throw new RangeError("too far");
        return x * 2;
      }, { x: [0, 10] });
      await shown.update();
      shown`);
    assert.equal(ofType(published, "execute_result").length, 1);
    assert.equal(await kernel().valueOf("shown.result"), "10");
    await run("(shown.children[0] as IntSlider).value = 9; await shown.update();");
    const error = await kernel().valueOf("JSON.stringify(shown.output.outputs)");
    assert.match(plain(String(error)), /RangeError.*too far/);
    assert.match(String(error), /cell-\d+\.ts:2:\d+/);
  });

  it("print from callbacks into the cell that registered them", async () => {
    const from = kernel().published.length;
    const id = await idOf(
      "const button = new Button({ description: 'go' }); button.onClick(() => console.log('clicked')); button",
    );
    await turn(id, { method: "custom", content: { event: "click" } });
    await kernel().until(() => textOf(kernel().published.slice(from)).includes("clicked\n"));
  });

  it("stand beside the engine's own widgets in a box", async () => {
    const { published } = await run(`import { loadModel } from "tslens";
      import { steeringControls } from "tslens/widgets";
      const model = await loadModel("tiny-world");
      new HBox([new IntSlider(), steeringControls(model, { prompt: "The cake was" })])`);
    const opened = ofType(published, "comm_open").at(-1)!.content.data as { state: Json };
    assert.equal((opened.state.children as string[]).length, 2);
    assert.match(String((opened.state.children as string[])[1]), /^IPY_MODEL_/);
  });
});

describe("the examples of the widgets", () => {
  const kernel = kernelOfSuite();

  async function runs(code: string): Promise<void> {
    const { reply } = await kernel().run(code);
    assert.equal(reply.status, "ok", `${code}\n${plain(String(reply.evalue))}`);
  }

  it("in the README run", async () => {
    const readme = readFileSync(join(repository, "README.md"), "utf8");
    const [, section] = /## Controls in a notebook\n([\s\S]*?)\n## /.exec(readme)!;
    const examples = [...section!.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
    assert.equal(examples.length, 2);
    await runs('import { loadModel } from "tslens";\nconst model = await loadModel("tiny-world");');
    for (const example of examples) await runs(example);
  });

  it("in docstrings run", async () => {
    await runs(
      'import { Button, comms, Dropdown, IntSlider, interact, jslink, Output, Play } from "tslens/jupyter-widgets";\n' +
        "const slider = new IntSlider({ value: 9 }); const play = new Play();\n" +
        "setInterval(() => { slider.value = 19 - slider.value; }, 50);",
    );
    const folder = join(repository, "kernel", "comms");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    const examples = files.flatMap((file) =>
      [
        ...readFileSync(join(folder, file), "utf8").matchAll(/@example\s*\n\s*\* ```ts\n([\s\S]*?)\* ```/g),
      ].map(([, block]) => block!.replace(/^\s*\* ?/gm, "")),
    );
    assert.ok(examples.length >= 7, String(examples.length));
    for (const example of examples) await runs(`{\n${example}\n}`);
  });
});

describe("comms of any target", () => {
  const kernel = kernelOfSuite();

  it("work both ways, with buffers, from a cell", async () => {
    const { reply } = await kernel().run(`import { comms } from "tslens/jupyter-widgets";
      comms().registerTarget("echo", (comm, { data }) => {
        comm.send({ hello: data });
        comm.onMessage = ({ data, buffers }) => comm.send({ got: data }, { buffers: buffers.map((b) => b.slice().reverse()) });
        comm.onClose = () => console.log("closed");
      });`);
    assert.equal(reply.status, "ok", plain(String(reply.evalue)));
    const open = { comm_id: "mine", target_name: "echo", data: { a: 1 } };
    const last = async (type: string, content: Json, buffers: Uint8Array[] = []) => {
      const id = await kernel().send(type, content, { buffers });
      await kernel().until(() => kernel().publishedFor(id).at(-1)?.content.execution_state === "idle");
      return ofType(kernel().publishedFor(id), "comm_msg")[0];
    };
    assert.deepEqual((await last("comm_open", open))!.content, {
      comm_id: "mine",
      data: { hello: { a: 1 } },
    });
    const echo = (await last("comm_msg", { comm_id: "mine", data: { b: 2 } }, [Uint8Array.of(1, 2)]))!;
    assert.deepEqual(echo.content.data, { got: { b: 2 } });
    assert.deepEqual([...echo.buffers[0]!], [2, 1]);
    const info = await kernel().request("comm_info_request", { target_name: "echo" });
    assert.deepEqual(info.reply.comms, { mine: { target_name: "echo" } });
    await kernel().send("comm_close", { comm_id: "mine", data: {} });
    await kernel().until(() => textOf(kernel().published).includes("closed\n"));
    const { published } = await kernel().run('comms().open("theirs", { c: 3 }).send({ d: 4 });');
    assert.deepEqual(
      published
        .map(({ header, content }) => [header.msg_type, content.data])
        .filter(([type]) => /comm/.test(String(type))),
      [
        ["comm_open", { c: 3 }],
        ["comm_msg", { d: 4 }],
      ],
    );
  });
});
