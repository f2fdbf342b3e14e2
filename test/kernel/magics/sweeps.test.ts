import assert from "node:assert/strict";
import { engineMagics } from "../../../kernel/magics/engine/index.js";
import { Magics } from "../../../kernel/magics/registry.js";
import { facts } from "../../../src/tasks/index.js";
import { kernelOfSuite, plain } from "../client.js";
import { asked, services, shownText } from "./magics.js";

const pair =
  "When Mary and John went to the store, John gave a drink to | When Mary and John went to the store, Mary gave a drink to | Mary | John";

describe("the magics of sweeps", () => {
  const kernel = kernelOfSuite();
  const { value, failure } = asked(kernel);
  const [fact] = facts({ count: 1, seed: 2 }) as [ReturnType<typeof facts>[number]];

  before(async () => {
    const { reply } = await kernel().run("%model tiny-world");
    assert.equal(reply.status, "ok", String(reply.evalue));
  });

  async function text(code: string): Promise<string> {
    const data = await value(code);
    assert.match(String(data["image/svg+xml"]), /^<svg/);
    return String(data["text/plain"]);
  }

  it("%patch shows layers by positions, or layers by heads, of prompts or a task", async () => {
    const positions = await text(`%patch ${pair}`);
    assert.match(positions, /^Activation patching of resid_pre\n/);
    assert.match(positions, / Mary/);
    assert.equal(await text(`%%patch\n${pair}\n`), positions);
    assert.match(await text("%patch --at z -n 4 ioi"), /^Activation patching of z\n +0 +1 +2/);
    assert.match(
      await text("%patch --at mlp_out --over layer --direction noising facts"),
      /^Activation patching of mlp_out\n/,
    );
  });

  it("%patch --explore opens the explorer of one prompt, which can be edited", async () => {
    for (const line of [
      `%patch --explore ${pair}`,
      "%patch --explore --at z ioi",
      "%patch --explore greaterThan",
    ]) {
      const data = await value(line);
      assert.ok("application/vnd.jupyter.widget-view+json" in data);
      assert.match(String(data["text/plain"]), /next token with layer \d, (position \d+|head \d)/);
    }
    assert.match(await failure("%patch --explore -n 2 ioi"), /--explore of %patch shows one prompt/);
    assert.match(await failure("%patch --explore induction"), /needs prompts of text/);
  });

  it("%ablate shows the metric without each head, of a task or of a text", async () => {
    assert.match(await text("%ablate --replacement mean -n 4 ioi"), /^Ablation \(mean\) of z\n/);
    assert.match(
      await text("%ablate --at mlp_out --over layer Mary gave the book to John"),
      /^Ablation \(zero\) of mlp_out\n/,
    );
  });

  it("%trace-fact blurs the subject and restores states", async () => {
    const line = `%trace-fact --subject "${fact.subject}" --answer "${fact.answer}" --samples 3`;
    assert.match(await text(`${line} ${fact.clean}`), /^Causal tracing: resid_post restored\n/);
    assert.match(
      await text(
        `%%trace-fact --subject "${fact.subject}" --at mlp_out --window 2 --samples 2\n${fact.clean}\n`,
      ),
      /^Causal tracing: mlp_out restored in 2 layers\n/,
    );
  });

  it("name the option or the part of the line that is wrong", async () => {
    assert.match(
      await failure(`%patch --dirction noising ${pair}`),
      /%patch has no option --dirction\. Did you mean --direction\?/,
    );
    assert.match(
      await failure(`%patch --over layer,poss ${pair}`),
      /--over of %patch takes some of layer, pos, head, neuron, key, such as layer,pos, not "poss"/,
    );
    assert.match(
      await failure(`%patch --at resid_pree ${pair}`),
      /The nearest are blocks\.0\.hook_resid_pre/,
    );
    assert.match(
      await failure("%patch Mary gave it to | John gave it to"),
      /write each prompt as `clean \| corrupt \| answer \| wrong answer`/,
    );
    assert.match(await failure("%patch ioy"), /There is no task "ioy"\. The nearest are ioi/);
    assert.match(
      await failure(`%patch ${pair.replace("| Mary", "| Mary John")}`),
      /is 2 tokens \(" Mary", " John"\), not one/,
    );
    assert.match(
      await failure("%patch a b c | a b | a | b"),
      /Clean prompt 0 has \d+ tokens and its corrupt prompt \d+/,
    );
    assert.match(
      await failure("%ablate --replacement nothing ioi"),
      /--replacement of %ablate is one of zero, mean, resample, noise, not "nothing"/,
    );
    assert.match(await failure(`%trace-fact ${fact.clean}`), /%trace-fact needs the subject of the fact/);
    assert.match(
      await failure(`%trace-fact --subject Nobody ${fact.clean}`),
      /The subject "Nobody" is not in the prompt/,
    );
    assert.match(
      await failure(`%trace-fact --subject a --samples 0 ${fact.clean}`),
      /--samples of %trace-fact takes 1 or more, not 0/,
    );
    assert.match(await failure("%trace-fact --subject a"), /A text is missing/);
  });

  it("keep their result for the cells that follow", async () => {
    const data = await value("const heads = %patch --at z ioi\nheads.values.shape");
    assert.match(String(data["text/plain"]), /\[\s*4,\s*8\s*\]/);
  });

  it("report how far they came", async () => {
    const { reply, published } = await kernel().run(
      'import { setHost } from "tslens";\nimport { activationPatching } from "tslens";\nimport { ioi } from "tslens/tasks";\nimport { loadModel } from "tslens";\n' +
        'const [one] = ioi({ count: 1 });\nconst own = await loadModel("tiny-world");\n' +
        // Bars show themselves for work that takes a while: one run for each of hundreds of cells.
        "const [clean, corrupt] = [one.clean, one.corrupt].map((text) => Array(32).fill(text));\n" +
        'const slow = await activationPatching(own, { clean, corrupt, metric: ({ logits }) => logits.at(0, -1, 5), at: "z", over: ["layer", "head", "pos"] });\n' +
        "slow.finished;",
    );
    assert.equal(reply.status, "ok", plain(String(reply.evalue)));
    assert.ok(published.some(({ content }) => JSON.stringify(content).includes("patching")));
  });
});

describe("the help and the code of the magics of sweeps", () => {
  const magics = new Magics();
  magics.register(...engineMagics);
  const code = async (name: string, line: string): Promise<string> => {
    return shownText(await magics.run("line", name, `--show-code ${line}`, "", services));
  };

  it("is TypeScript that does the same", async () => {
    assert.equal(
      await code("patch", "--at z -n 4 ioi"),
      'import { activationPatching } from "tslens";\nimport { ioi, taskMetric } from "tslens/tasks";\nconst prompts = ioi({ count: 4, seed: 0 });\nawait activationPatching(model, { clean: prompts.map((prompt) => prompt.clean), corrupt: prompts.map((prompt) => prompt.corrupt), metric: taskMetric(prompts), at: "z", over: ["layer","head"] });',
    );
    assert.match(
      await code("patch", `--direction noising ${pair}`),
      /over: \["layer","pos"\], direction: "noising" }\);$/,
    );
    assert.match(
      await code("ablate", "a b c"),
      /import { ablationSweep, crossEntropy } from "tslens";\n.*\nawait ablationSweep\(model, prompts\.map\(\(prompt\) => prompt\.clean\), { metric: crossEntropy\(\), at: "z"/,
    );
    assert.equal(
      await code("trace-fact", '--subject Ilda --answer " harp" Ilda plays the'),
      'import { causalTracing } from "tslens";\nawait causalTracing(model, "Ilda plays the", { subject: "Ilda", answer: " harp" });',
    );
  });

  it("stands in the help, with an example", () => {
    for (const name of ["patch", "ablate", "trace-fact"]) {
      const help = magics.inspect(`%${name}`, 2)!;
      assert.match(help, new RegExp(`%${name} `));
      assert.match(help, /The same in TypeScript/);
    }
  });

  it("completes options, points and tasks", () => {
    const offered = (line: string): string[] =>
      magics.complete(line, line.length)!.matches.map(({ text }) => text);
    assert.deepEqual(offered("%patch --at resid_p"), ["resid_pre", "resid_post"]);
    assert.deepEqual(offered("%patch io"), ["ioi"]);
    assert.deepEqual(offered("%ablate --replacement me"), ["mean"]);
    assert.deepEqual(offered("%trace-fact --sub"), ["--subject"]);
    assert.deepEqual(offered("%trace-fact --at m"), ["mlp_out"]);
  });
});
