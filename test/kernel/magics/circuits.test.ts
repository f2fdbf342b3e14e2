import assert from "node:assert/strict";
import type { Json, Message } from "../../../kernel/protocol/message.js";
import { kernelOfSuite, ofType, plain, textOf } from "../client.js";
import { asked } from "./magics.js";

describe("the magics for circuits", () => {
  const kernel = kernelOfSuite();
  const { value, failure, complete } = asked(kernel);
  const isAnimation = ({ header, content }: Message): boolean =>
    header.msg_type === "comm_open" && JSON.stringify(content).includes("AcdcAnimationModel");
  /** What a search of a line, which has begun, has published since. */
  const since = (from: number): Message[] => kernel().published.slice(from);
  /** The number of steps in the messages of an animation. */
  const stepsIn = (messages: readonly Message[]): number => {
    const state: Json = {};
    for (const { header, content } of messages)
      if (/^comm_(open|msg)$/.test(header.msg_type))
        Object.assign(state, (content.data as { state?: Json }).state);
    const rows = (wire: unknown): number => (wire as { shape: number[] } | undefined)?.shape[0] ?? 0;
    return rows(state.log) + rows(state.tail);
  };
  const steps = async (name: string): Promise<unknown> => kernel().valueOf(`${name}.log.length`);

  before(async () => {
    await kernel().run('import { loadModel } from "tslens";\nconst model = await loadModel("tiny-world");');
  });

  it("%acdc finds the circuit of a task, and shows it as an animation and as a picture", async () => {
    const bundle = await value("%acdc ioi --count 4 --threshold 0.05");
    assert.ok(bundle["application/vnd.jupyter.widget-view+json"]);
    assert.match(String(bundle["image/svg+xml"]), /^<svg /);
    assert.match(
      String(bundle["text/plain"]),
      /^Circuit of tiny-world by acdc: \d+ of 38 nodes, \d+ of 1519 edges\nioi on tiny-world\n\d+ of 1519 edges, KL divergence/,
    );
  });

  it("%acdc stands for the TypeScript that it names, and its value can be kept", async () => {
    const line = "%acdc ioi --count 4 --threshold 1 --metric task";
    const code = String((await value(`${line} --show-code`))["text/plain"]);
    assert.match(
      code,
      /^import \{ acdc \} from "tslens\/circuits";\nimport \{ ioi, taskMetric \} from "tslens\/tasks";/,
    );
    await kernel().run(`const found = ${line}`);
    const named = await kernel().valueOf("found.keptEdges.map(({ name }) => name).join()");
    await kernel().run(code.replace("await acdc(", "const written = await acdc("));
    assert.equal(await kernel().valueOf("written.keptEdges.map(({ name }) => name).join()"), named);
    assert.match(String(named), /->logits/);
  });

  it("%%acdc takes prompts of one's own, with answers for a metric", async () => {
    const lines = [
      "When Mary and John went to the store, John gave a book to | When Mary and John went to the store, Mary gave a book to | Mary | John",
      "When Tom and Anna went to the park, Anna gave a ball to | When Tom and Anna went to the park, Tom gave a ball to | Tom | Anna",
    ];
    const bundle = await value(`%%acdc -t 0.5 --metric task\n${lines.join("\n")}`);
    assert.match(String(bundle["text/plain"]), /logit difference/);
    const one = lines[0]!.split(" | ").slice(0, 2).join(" | ");
    assert.match(String((await value(`%acdc -t 0.1 ${one}`))["text/plain"]), /KL divergence/);
    const zero = await value(`%acdc -t 0.1 --ablation zero ${one.split(" | ")[0]}`);
    assert.match(String(zero["text/plain"]), /zero ablation/);
  });

  it("interrupted, %acdc gives what is left by then, and resumes to the circuit of a whole search", async () => {
    const line = "%acdc ioi --count 8 --threshold 0.2 --metric task";
    const from = kernel().published.length;
    const id = await kernel().start(`const partial = ${line}`);
    await kernel().until(() => since(from).some(({ header }) => header.msg_type === "display_data"));
    await kernel().interrupt();
    assert.equal((await kernel().answer(id)).reply.status, "ok");
    const done = Number(await steps("partial"));
    assert.ok(done > 0 && done < 1519, String(done));
    assert.equal(await kernel().valueOf("partial.finished"), "false");
    assert.match(
      String((await value("partial"))["text/plain"]),
      new RegExp(`${done} of 1519 edges tried. Repeat`),
    );
    await kernel().run(`const resumed = ${line} --resume partial`);
    await kernel().run(`const whole = ${line}`);
    const kept = (name: string): Promise<unknown> =>
      kernel().valueOf(`${name}.keptEdges.map(({ name }) => name).join()`);
    assert.equal(await kept("resumed"), await kept("whole"));
    assert.equal(await steps("resumed"), "1519");
  });

  it("--live shows the search while it runs; its buttons pause and stop it, and the rest can be resumed", async () => {
    const from = kernel().published.length;
    const id = await kernel().start("const live = %acdc ioi --count 8 --threshold 0 --metric task --live");
    await kernel().until(() => since(from).some(isAnimation));
    const comm_id = since(from).find(isAnimation)!.content.comm_id;
    const press = (method: string): Promise<string> =>
      kernel().send("comm_msg", { comm_id, data: { method: "custom", content: { method } } });
    await kernel().until(() => stepsIn(since(from)) > 2);
    await press("pause");
    const isPaused = ({ content }: Message): boolean => JSON.stringify(content).includes('"status":"paused"');
    await kernel().until(() => since(from).some(isPaused));
    await new Promise((resolve) => setTimeout(resolve, 400)); // the step that was being made
    const waiting = stepsIn(since(from));
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(stepsIn(since(from)), waiting, "a search that is paused makes no step");
    await press("step");
    await kernel().until(() => stepsIn(since(from)) > waiting);
    assert.equal(stepsIn(since(from)), waiting + 1);
    await press("stop");
    const answer = await kernel().answer(id);
    assert.equal(answer.reply.status, "ok", plain(String(answer.reply.evalue)));
    // What the model had been run for already is decided too.
    const decided = Number(await steps("live"));
    assert.ok(decided > waiting && decided < 1519, `${decided} after ${waiting}`);
    assert.equal(stepsIn(since(from)), decided);
    assert.equal(textOf(answer.published, "stderr"), "");
    const shown = ofType(answer.published, "display_data");
    assert.equal(shown.length, 1, "one animation, and no bar beside it");
    const last = ofType(answer.published, "update_display_data").at(-1)!.content.data as Record<
      string,
      unknown
    >;
    assert.match(String(last["text/plain"]), new RegExp(`${decided} of 1519 edges tried`));
    assert.ok(last["image/svg+xml"]);
    const next = await value("%acdc ioi --count 8 --threshold 0.5 --metric task --resume last --live");
    assert.match(String(next["text/plain"]), /^Circuit of tiny-world by acdc: \d+ of 38 nodes/);
  });

  it("an interrupt ends a search that goes on behind its cell, and its circuit is kept", async () => {
    await kernel().run(`
      import { ioi } from "tslens/tasks";
      import { acdcAnimation } from "tslens/widgets";
      const prompts = ioi({ count: 8 });
      const clean = prompts.map((prompt) => prompt.clean);
      const corrupt = prompts.map((prompt) => prompt.corrupt);`);
    const from = kernel().published.length;
    await kernel().run(
      "const behind = await acdcAnimation(model, { clean, corrupt, threshold: 0.0001 });\nbehind",
    );
    await kernel().until(() => stepsIn(since(from)) > 2);
    await kernel().interrupt();
    await kernel().run("const left = await behind.circuit;");
    assert.equal(await kernel().valueOf("left.finished"), "false");
    assert.equal(await kernel().valueOf("left.log.length === behind.soFar.log.length"), "true");
    const bad = await failure(
      "await acdcAnimation(model, { clean, corrupt: [prompts[0].corrupt], threshold: 0.1 })",
    );
    assert.match(bad, /8 clean prompts and 1 corrupt ones; they come in pairs/);
  });

  it("an interrupt ends a search that is paused, and the cell that waits for it goes on", async () => {
    await kernel().run(
      "const waiting = await acdcAnimation(model, { clean, corrupt, threshold: 0.1, paused: true });",
    );
    const from = kernel().published.length;
    const id = await kernel().start("const given = await waiting.show();");
    await kernel().until(() => since(from).some(({ header }) => header.msg_type === "display_data"));
    await kernel().interrupt();
    assert.equal((await kernel().answer(id)).reply.status, "ok");
    assert.equal(await kernel().valueOf("given.finished"), "false");
  });

  it("%eap ranks all edges, and keeps as many as are asked for", async () => {
    const bundle = await value("%eap ioi --count 4 --top 40");
    assert.ok(bundle["application/vnd.jupyter.widget-view+json"]);
    assert.match(
      String(bundle["text/plain"]),
      /^Circuit of tiny-world by eap: \d+ of 38 nodes, \d+ of 1519 edges\n/,
    );
    assert.match(String(bundle["text/plain"]), /logit difference/);
    await kernel().run("const scored = %eap ioi --count 4 --method eap-ig --steps 2");
    assert.equal(await kernel().valueOf("scored.origin.method"), "'eap-ig'");
    assert.equal(await kernel().valueOf("scored.keptEdges.length"), "1519");
    await kernel().run("const strong = %eap ioi --count 4 --threshold 0.1");
    assert.equal(
      await kernel().valueOf("strong.keptEdges.every(({ score }) => Math.abs(score) >= 0.1)"),
      "true",
    );
    const code = String((await value("%eap ioi --top 40 --greedy --show-code"))["text/plain"]);
    assert.match(code, /metric: taskMetric\(prompts\) \}\);\nscored\.greedy\(40\);$/);
  });

  it("circuitAnimation shows a circuit without its task, and refuses a model that is not its own", async () => {
    await kernel().run(`
      import { edgeAttribution } from "tslens/circuits";
      import { circuitAnimation } from "tslens/widgets";
      const ranked = await edgeAttribution(model, { clean, corrupt });`);
    assert.match(
      String((await value("await circuitAnimation(ranked)"))["text/plain"]),
      /^1519 of 1519 edges, eap\n/,
    );
    assert.match(
      await failure("await circuitAnimation(ranked, { model })"),
      /takes the prompts of the task too/,
    );
    await kernel().run('const other = await loadModel("attn-only-2l");');
    assert.match(
      await failure("await circuitAnimation(ranked, { model: other, clean, corrupt })"),
      /The circuit is of tiny-world and has 1519 edges; the graph of attn-only-2l has \d+/,
    );
  });

  it("name what is wrong with a task or an option", async () => {
    const wrong: Record<string, RegExp> = {
      "%acdc": /A task is missing, such as `ioi`, or prompts as `clean \| corrupt/,
      "%acdc ioy": /There is no task "ioy"\. The nearest are ioi/,
      "%acdc ioi --treshold 1": /no option --treshold\. Did you mean --threshold\?/,
      "%acdc ioi --metric logits": /--metric of %acdc is one of kl, task, not "logits"/,
      "%acdc ioi --threshold -1": /--threshold of %acdc takes 0 or more, not -1/,
      "%acdc ioi --count 0": /--count takes a number of prompts from 1 on, not 0/,
      "%acdc ioi --resume nothing": /There is no variable nothing/,
      "%acdc ioi --resume clean": /--resume takes a variable that holds a circuit of ACDC; clean is none/,
      "%acdc Mary gave it to": /resampled from corrupt prompts: write each prompt as `clean \| corrupt`/,
      "%acdc Mary | John | Tom": /A prompt is written as `clean \| corrupt`/,
      "%acdc --metric task Mary gave | John gave": /--metric task measures right against wrong answers/,
      "%acdc Mary gave | John and Mary gave": /Clean prompt 0 has 2 tokens and its corrupt prompt 4/,
      "%acdc Mary gave | Mary gave": /clean and the corrupt prompts are the same/,
      "%eap ioi --top 3 --threshold 1": /%eap takes --top or --threshold, not both/,
      "%eap ioi --greedy": /--greedy of %eap takes --top/,
    };
    for (const [line, message] of Object.entries(wrong)) assert.match(await failure(line), message, line);
  });

  it("explain themselves, and complete tasks, options and variables", async () => {
    for (const name of ["acdc", "eap"]) {
      const { "text/markdown": help } = await value(`%${name}?`);
      assert.match(String(help), new RegExp(`^\\*\\*%${name} <task>`));
      assert.match(String(help), /The same in TypeScript\n```ts\nimport /);
    }
    assert.deepEqual(await complete("%acdc io"), ["ioi"]);
    assert.ok((await complete("const c = %eap gr")).includes("greaterThan"));
    assert.deepEqual(await complete("%acdc ioi --metric "), ["kl", "task"]);
    assert.ok((await complete("%acdc ioi --resume mo")).includes("model"));
    assert.ok((await complete("x = %acdc ioi --li")).includes("--live"));
  });
});
