import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { scratchFolder } from "../../scratch.js";
import { type Answer, kernelOfSuite, ofType, TestClient } from "../client.js";

describe("the package in a notebook of any folder", () => {
  const kernel = kernelOfSuite();

  it("is imported with its types", async () => {
    assert.match(
      String(
        await kernel().valueOf(
          'import { tensor } from "tslens";\nconst t = tensor([1, 2, 3, 4], [2, 2]);\nt',
        ),
      ),
      /^float32 \[2, 2\]/,
    );
    const { reply } = await kernel().run("const wrong: string = tensor([1], [1]);");
    assert.equal(reply.ename, "TypeScriptError");
  });

  it("is completed and inspected with its documentation", async () => {
    await kernel().run('import * as tslens from "tslens";');
    const { reply } = await kernel().request("complete_request", { code: "tslens.tens", cursor_pos: 11 });
    assert.ok((reply.matches as string[]).includes("tensor"));
    const inspected = await kernel().request("inspect_request", {
      code: "tslens.tensor",
      cursor_pos: 9,
      detail_level: 0,
    });
    assert.match(JSON.stringify(inspected.reply.data), /function tensor/);
  });

  it("is the kernel's own: what it displays goes to the cell", async () => {
    const { published } = await kernel().run(
      'import { display } from "tslens"; await display({ shown: true });',
    );
    assert.deepEqual(ofType(published, "display_data")[0]!.content.data, { "text/plain": "{ shown: true }" });
  });

  it("gives HTML, Markdown and SVG whose values are text", async () => {
    const code = `import { html, md, svg } from "tslens/widgets";
      const evil = "<img onerror=x>*";
      const shown = [html\`<b>\${evil}</b>\`, md\`**\${evil}**\`, svg\`<text>\${evil}</text>\`];
      shown.map((x) => Object.values(x.bundle())[1])`;
    assert.equal(
      await kernel().valueOf(code),
      "[\n  '<b>&lt;img onerror=x&gt;*</b>',\n  '**&lt;img onerror=x&gt;\\\\***',\n  '<text>&lt;img onerror=x&gt;*</text>'\n]",
    );
  });

  it("clears what the cell has shown", async () => {
    const { published } = await kernel().run(
      'import { clearOutput } from "tslens/widgets"; clearOutput(true);',
    );
    assert.deepEqual(ofType(published, "clear_output")[0]!.content, { wait: true });
  });
});

describe("packages and files beside a notebook", () => {
  const scratch = scratchFolder();

  async function inFolder(code: string): Promise<Answer> {
    const client = await TestClient.start({ folder: scratch() });
    try {
      return await client.run(code);
    } finally {
      await client.shutDown();
    }
  }

  it("are imported: ES modules, subpaths of an exports map, JSON and TypeScript", async () => {
    const module = scratch("node_modules", "beside");
    mkdirSync(module, { recursive: true });
    const exports = {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./part": { types: "./part.d.ts", default: "./part.js" },
    };
    writeFileSync(
      scratch("node_modules", "beside", "package.json"),
      JSON.stringify({ name: "beside", type: "module", exports }),
    );
    for (const name of ["index", "part"]) {
      writeFileSync(`${module}/${name}.js`, `export const name = "${name}";\n`);
      writeFileSync(`${module}/${name}.d.ts`, "export declare const name: string;\n");
    }
    writeFileSync(scratch("data.json"), '{ "answer": 42 }');
    writeFileSync(scratch("local.ts"), "export const twice = (x: number): number => 2 * x;\n");
    const { reply, published } = await inFolder(
      'import { name } from "beside"; import { name as part } from "beside/part";\n' +
        'import data from "./data.json"; import { twice } from "./local";\n' +
        "[name, part, twice(data.answer)]",
    );
    assert.equal(reply.status, "ok", String(reply.evalue));
    assert.deepEqual(ofType(published, "execute_result")[0]!.content.data, {
      "text/plain": "[ 'index', 'part', 84 ]",
    });
  });
});
