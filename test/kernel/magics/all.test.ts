import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { ts } from "../../../kernel/execution/typescript.js";
import { builtinMagics } from "../../../kernel/magics/builtin/index.js";
import { engineMagics } from "../../../kernel/magics/engine/index.js";
import { flagName } from "../../../kernel/magics/options.js";
import { Magics } from "../../../kernel/magics/registry.js";
import { scratchFolder } from "../../scratch.js";
import { services, shownText } from "./magics.js";

describe("every magic", () => {
  const magics = new Magics();
  magics.register(...builtinMagics, ...engineMagics);

  const complete = (code: string): string[] =>
    magics.complete(code, code.length)!.matches.map(({ text }) => text);
  const call = (name: string, line: string): Promise<unknown> => {
    const { kind } = magics.find(name);
    return magics.run(kind === "cell" ? "cell" : "line", name, line, "", services);
  };

  it("of those that notebooks need is there", () => {
    const names = new Set(magics.all.map(({ name }) => name));
    const wanted =
      "model tokens trace lens attn steer probe plot time capture env cd npm who reset lsmagic html markdown js load";
    for (const name of wanted.split(" ")) assert.ok(names.has(name), name);
  });

  for (const magic of magics.all) {
    const { name, kind, options = {} } = magic;
    const sigil = kind === "cell" ? "%%" : "%";
    describe(`${sigil}${name}`, () => {
      it("has help with an example of itself and TypeScript that parses", () => {
        const help = magics.inspect(`${sigil}${name}`, 2)!;
        const [, example] = /Example\n```\n([\s\S]*?)\n```/.exec(help)!;
        const first = new RegExp(
          `^(.* = )?${sigil}${sigil === "%%" || kind === "both" ? "?%?" : ""}${name}\\b`,
          "m",
        );
        assert.match(example!, first);
        const [, code] = /TypeScript\n```ts\n([\s\S]*?)\n```/.exec(help)!;
        const { diagnostics } = ts.transpileModule(code!, { reportDiagnostics: true });
        assert.deepEqual(
          diagnostics!.map(({ messageText }) => messageText),
          [],
        );
        for (const option of Object.keys(options))
          assert.ok(help.includes(`\`--${flagName(option)}`), option);
      });

      it("is completed by its name and its options", () => {
        assert.ok(complete(`${sigil}${name.slice(0, 2)}`).includes(name));
        for (const [option, { choices }] of Object.entries(options)) {
          assert.ok(complete(`${sigil}${name} --`).includes(`--${flagName(option)}`), option);
          if (choices) assert.deepEqual(complete(`${sigil}${name} --${flagName(option)} `), choices);
        }
      });

      if (magic.parsed !== false)
        it("names an option that it does not have, and the value that one may not have", async () => {
          await assert.rejects(call(name, "--no-such-thing 3"), (error: Error) => {
            assert.equal(error.name, "UsageError");
            assert.match(error.message, new RegExp(`^%${name} has no option --no-such-thing\\.`));
            return true;
          });
          for (const [option, spec] of Object.entries(options)) {
            if (spec.type === "string" && !spec.choices) continue;
            const flag = `--${flagName(option)}`;
            await assert.rejects(call(name, `${flag}=$bad`), new RegExp(`^UsageError: ${flag} of %${name} `));
          }
        });

      if (magic.parsed !== false && !magic.usage)
        it("refuses words that mean nothing to it", async () => {
          await assert.rejects(call(name, "and more"), /stands alone: "and more" means nothing to it/);
        });
    });
  }

  describe("that takes a model's name", () => {
    const scratch = scratchFolder();
    const before = process.env.HF_HUB_CACHE;
    afterEach(() => {
      if (before === undefined) delete process.env.HF_HUB_CACHE;
      else process.env.HF_HUB_CACHE = before;
    });

    it("completes the bundled models and those that have been downloaded", () => {
      process.env.HF_HUB_CACHE = scratch("none");
      const bundled = complete("%model ");
      assert.ok(bundled.includes("tiny-world"));
      process.env.HF_HUB_CACHE = scratch();
      const put = (folder: string, file: string): void => {
        mkdirSync(scratch(folder), { recursive: true });
        writeFileSync(scratch(`${folder}/${file}`), "{}");
      };
      put("models--openai-community--gpt2/snapshots/0a1b", "config.json");
      put("models--gone--begun/snapshots/0a1b", "README.md");
      put("datasets--some--texts/snapshots/0a1b", "config.json");
      assert.deepEqual(complete("%model "), [...bundled, "openai-community/gpt2"]);
      assert.deepEqual(complete("%model openai"), ["openai-community/gpt2"]);
    });

    it("says in its TypeScript how it is loaded", async () => {
      assert.equal(
        shownText(await call("model", "--show-code tiny-world --revision step-1000 --processing")),
        'import { loadModel } from "tslens";\nconst model = await loadModel("tiny-world", { revision: "step-1000", processing: true });',
      );
    });
  });
});
