import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "../../../kernel/protocol/message.js";
import { repository } from "../../shared.js";
import { type Answer, kernelOfSuite } from "../client.js";
import { asked, valueIn } from "./magics.js";

const prompt = "When Mary and John went to the store, John gave a book to";

describe("the engine's magics without %model", () => {
  const kernel = kernelOfSuite();
  const { value, failure, complete } = asked(kernel);

  it("say how to get a model", async () => {
    for (const code of ["%model", `%tokens ${prompt}`, `%lens ${prompt}`, `%%trace\n${prompt}`, "%steer a"])
      assert.match(
        await failure(code),
        /No model is loaded: run `%model tiny-world`, or `const model = await/,
      );
  });

  it("complete the names of models, and no points", async () => {
    assert.ok((await complete("%model ti")).includes("tiny-world"));
    assert.deepEqual(await complete("%trace --point blo"), []);
  });

  it("work on a model that a cell has declared", async () => {
    await kernel().run(
      'import { loadModel } from "tslens";\nconst declared = await loadModel("tiny-world");',
    );
    assert.match(String((await value("%model"))["text/plain"]), /^Model tiny-world \(gpt2: 4 layers/);
    assert.match(String((await value("%tokens Mary"))["text/plain"]), /^0\t\d+\t/);
    assert.ok(
      (await complete("%trace --point blocks.0.attn.hook_pat")).includes("blocks.0.attn.hook_pattern"),
    );
  });
});

describe("the engine's magics", () => {
  const kernel = kernelOfSuite();
  const { value, failure, complete } = asked(kernel);

  /** The state that a cell's widget has at the end of the cell. */
  function widgetState({ published }: Answer): Json {
    const state: Json = {};
    for (const { header, content } of published) {
      if (header.msg_type !== "comm_open" && header.msg_type !== "comm_msg") continue;
      Object.assign(state, (content.data as { state?: Json }).state);
    }
    return state;
  }

  before(async () => {
    await kernel().run(
      `import { loadModel } from "tslens";\nconst declared = await loadModel("tiny-world");`,
    );
  });

  it("%model loads a model, and refuses one that is not there", async () => {
    assert.match(String((await value("%model tiny-world"))["text/plain"]), /^Model tiny-world/);
    assert.match(await failure("%model tiny-word"), /There is no model "tiny-word"/);
    assert.match(String((await value("%model"))["text/plain"]), /^Model tiny-world/);
  });

  it("%tokens shows the tokens and their ids, of a line or a cell", async () => {
    const line = await value("%tokens Mary gave a book");
    assert.deepEqual(
      String(line["text/plain"])
        .split("\n")
        .map((row) => row.split("\t")[2]),
      ['"Mary"', '" gave"', '" a"', '" book"'],
    );
    assert.deepEqual(await value("%%tokens\nMary gave a book\n"), line);
    assert.match(await failure("%tokens"), /A text is missing, such as `%tokens /);
  });

  it("%%trace opens a table at a point and head, with the largest columns", async () => {
    const answer = await kernel().run(`%%trace --point pattern2 --head 3 --top-k 4\n${prompt}`);
    const bundle = valueIn(answer);
    assert.ok("application/vnd.jupyter.widget-view+json" in bundle);
    assert.match(String(bundle["text/plain"]), /^blocks\.2\.attn\.hook_pattern, head 3: 14 queries × 4 keys/);
    const points = widgetState(answer).points as { name: string }[];
    assert.ok(points.some(({ name }) => name === "blocks.0.hook_resid_pre"));
  });

  it("%trace keeps the points whose names are asked for, and the one that is shown", async () => {
    const answer = await kernel().run(`%trace --names hook_z --point resid_post1 ${prompt}`);
    const points = (widgetState(answer).points as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(points, [
      "blocks.0.attn.hook_z",
      "blocks.1.attn.hook_z",
      "blocks.1.hook_resid_post",
      "blocks.2.attn.hook_z",
      "blocks.3.attn.hook_z",
    ]);
  });

  it("%lens shows the chart of the logit lens", async () => {
    const bundle = await value(`%lens --top-k 2 ${prompt}`);
    assert.ok("application/vnd.vegalite.v5+json" in bundle);
    assert.match(String(bundle["text/plain"]), /^Logit lens.*\n +When/);
    const direct = 'import { logitLens } from "tslens";\nawait logitLens(declared, ';
    assert.equal(await kernel().valueOf(`${direct}${JSON.stringify(prompt)})`), bundle["text/plain"]);
  });

  it("%attn opens a table of the patterns at a layer and head", async () => {
    const bundle = await value(`%attn --layer 1 --head 2 ${prompt}`);
    assert.ok(bundle["application/vnd.jupyter.widget-view+json"]);
    assert.match(String(bundle["text/plain"]), /blocks\.1\.attn\.hook_pattern/);
  });

  it("%%probe fits a probe on each layer, of lines as of variables", async () => {
    const lines = "1 I am happy\n0 I am sad\n1 You are happy\n0 You are sad";
    const written = await value(`%%probe\n${lines}`);
    assert.match(String(written["image/svg+xml"]), /^<svg/);
    await kernel().run(
      'const texts = ["I am happy", "I am sad", "You are happy", "You are sad"]; const labels = [1, 0, 1, 0];',
    );
    const named = await value("%probe texts labels");
    assert.equal(named["text/plain"], written["text/plain"]);
    assert.match(await failure("%probe texts"), /takes two variables/);
    assert.match(await failure("%probe labels texts"), /labels is no list of texts/);
    assert.match(await failure("%%probe\nhappy"), /0 or 1, a space and a text, not "happy"/);
  });

  it("%steer opens controls with both continuations", async () => {
    const options = '--towards "It was wonderful." --away "It was terrible." -c 3 -n 5 --point resid_pre1';
    const answer = await kernel().run(`%steer ${options} The cake was`);
    const state = widgetState(answer);
    assert.deepEqual(
      [state.prompt, state.point, state.coefficient, state.max_new_tokens],
      ["The cake was", "blocks.1.hook_resid_pre", 3, 5],
    );
    const result = state.result as { status: string; steered: string[]; choices: Json };
    assert.equal(result.status, "done");
    assert.equal(result.steered.length, 5);
    const bundle = valueIn(answer);
    assert.match(String(bundle["text/plain"]), /unsteered: The cake was.*\nsteered: {3}The cake was/s);
  });

  it("%steer takes the unembedding of a token as its direction", async () => {
    const answer = await kernel().run(
      '%steer --token " John" -c 100 -n 1 --point resid_post3 --temperature 0 Mary gave a book to',
    );
    const { next } = widgetState(answer).result as {
      next: { token: string; unsteered: number; steered: number }[];
    };
    const john = next.find(({ token }) => token === " John")!;
    assert.ok(john.steered > john.unsteered, JSON.stringify(john));
  });

  it("name a wrong option, point or head with what there is", async () => {
    assert.match(await failure("%lens --topk 3 Mary"), /%lens has no option --topk\. Did you mean --top-k\?/);
    assert.match(await failure("%lens --top-k three Mary"), /--top-k of %lens needs an integer, not "three"/);
    assert.match(await failure("%trace --point patern0 Mary"), /no point .*patern0.* nearest are .*pattern/s);
    assert.match(
      await failure("%trace --point pattern0 --head 9 Mary"),
      /heads 0 to 7; head 9 was asked for/,
    );
    assert.match(
      await failure("%steer --point pattern0 Mary"),
      /residual stream, not at .* nearest points are blocks\./s,
    );
    assert.match(await failure("%steer --tempature 1 Mary"), /Did you mean --temperature\?/);
  });

  it("explain themselves with %name?, and stand for the TypeScript that they name", async () => {
    for (const name of ["model", "tokens", "lens", "steer"]) {
      const { "text/markdown": help } = await value(`%${name}?`);
      assert.match(String(help), new RegExp(`^\\*\\*%${name}`));
    }
    assert.match(String((await value("%%trace?"))["text/markdown"]), /`--names pattern`/);
    const help = String((await value("%lens?"))["text/markdown"]);
    const [, typescript] = /```ts\n([\s\S]*?)\n```/.exec(help)!;
    const written = typescript!.replace("logitLens(model,", "logitLens(declared,");
    const [, example] = /Example\n```\n(.*)\n```/.exec(help)!;
    assert.equal(await kernel().valueOf(written), (await value(example!))["text/plain"]);
  });

  it("complete options and points", async () => {
    assert.deepEqual(await complete("%lens --"), ["--top-k", "--show-code"]);
    assert.deepEqual(await complete("%%trace --p"), ["--point"]);
    assert.ok((await complete("%%trace --point blocks.1.")).includes("blocks.1.hook_resid_pre"));
    assert.deepEqual(await complete("%steer --point blocks.3."), [
      "blocks.3.hook_resid_pre",
      "blocks.3.hook_resid_mid",
      "blocks.3.hook_resid_post",
    ]);
    assert.deepEqual(await complete("%trace "), []);
  });
});

describe("tokens that are markup", () => {
  const kernel = kernelOfSuite();
  const script = "<script>alert(1)</script>";
  const image = "<svg onload=alert(1)>";
  let folder = "";

  /** tiny-world with two tokens more in the place of two of its own. */
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tslens-test-"));
    cpSync(join(repository, "models", "tiny-world"), folder, { recursive: true });
    const path = join(folder, "tokenizer.json");
    const json = JSON.parse(readFileSync(path, "utf8"));
    const ids = json.model.vocab as Record<string, number>;
    const [first, second] = Object.values(ids).slice(-2);
    json.added_tokens = [
      ...(json.added_tokens ?? []),
      ...[
        [first, script],
        [second, image],
      ].map(([id, content]) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: false,
      })),
    ];
    writeFileSync(path, JSON.stringify(json));
    const { reply } = await kernel().run(`%model ${folder}`);
    assert.equal(reply.status, "ok", String(reply.evalue));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const calls: Record<string, string> = {
    "%tokens": `%tokens Mary${script}${image}`,
    "%%trace": `%%trace --point pattern0\nMary${script}${image}`,
    "%lens": `%lens Mary${script}${image}`,
    "%steer": `%steer --towards "${script}" --away "${image}" -n 3 Mary${script}${image}`,
  };
  for (const [name, code] of Object.entries(calls)) {
    it(`are text in the pictures of ${name}`, async () => {
      const bundle = valueIn(await kernel().run(code));
      const text = String(bundle["text/plain"]);
      assert.ok(text.includes("<script>") || text.includes("<svg onload"), text);
      for (const type of ["text/html", "image/svg+xml", "text/markdown"]) {
        const markup = bundle[type];
        if (markup === undefined) continue;
        assert.doesNotMatch(String(markup), /<script|<svg onload/i);
        assert.match(String(markup), /&lt;(script|svg onload)/);
      }
    });
  }
});
