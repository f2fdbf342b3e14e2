import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { scratchFolder } from "../../scratch.js";
import { kernelOfSuite, ofType, plain, TestClient, textOf } from "../client.js";

describe("%%capture", () => {
  const kernel = kernelOfSuite();

  it("keeps what a cell writes and displays, and its value, in a variable", async () => {
    const { published } = await kernel().run(
      '%%capture kept\nimport { display, html } from "tslens/widgets";\nconsole.log("out");\n' +
        'console.error("err");\nawait display(html`<b>shown</b>`);\n6 * 7',
    );
    const types = published.map(({ header }) => header.msg_type);
    assert.deepEqual(types, ["status", "execute_input", "status"]);
    assert.equal(await kernel().valueOf("kept.stdout + kept.stderr"), "'out\\nerr\\n'");
    const outputs = await kernel().valueOf("JSON.stringify(kept.outputs)");
    assert.match(String(outputs), /"text\/html":"<b>shown<\/b>".*"text\/plain":"42"/);
    assert.match(String(await kernel().valueOf("kept")), /^out\n\nerr\n\n<b>shown<\/b>\n42$/);
  });

  it("keeps what its cell declares, and lets the next cell speak", async () => {
    await kernel().run("%%capture\nconst inside = 3; console.log(inside);");
    assert.equal(textOf((await kernel().run("console.log(inside)")).published), "3\n");
  });

  it("shows the error of its cell, with its line", async () => {
    const { reply } = await kernel().run('%%capture\n\nthrow new Error("seen")');
    assert.equal(reply.evalue, "seen");
    assert.match((reply.traceback as string[]).join("\n"), /cell-\d+\.ts:3:7/);
    assert.equal(textOf((await kernel().run('console.log("after")')).published), "after\n");
  });

  it("refuses what is not the name of a variable", async () => {
    assert.match(String((await kernel().run("%%capture 1a\n2")).reply.evalue), /"1a" is not the name of one/);
    assert.match(String((await kernel().run("%%capture a b\n2")).reply.evalue), /one variable, not 2: a b/);
  });
});

describe("%reset", () => {
  const kernel = kernelOfSuite();

  it("forgets variables and their types, and cells go on", async () => {
    await kernel().run("const lost = 1; function gone() { return 2; }");
    assert.equal((await kernel().run("%reset")).reply.status, "ok");
    for (const name of ["lost", "gone"]) {
      assert.match(plain(String((await kernel().run(name)).reply.evalue)), new RegExp(`name '${name}'`));
    }
    assert.equal(await kernel().valueOf("const lost = 'new'; lost.length"), "3");
    assert.equal(await kernel().valueOf("lost"), "'new'");
  });
});

describe("%%js", () => {
  const kernel = kernelOfSuite();

  it("runs what TypeScript would refuse, and keeps its variables", async () => {
    assert.equal(await kernel().valueOf("%%js\nlet loose = 1;\nloose = 'text';\nloose.length"), "4");
    assert.equal(await kernel().valueOf("String(loose)"), "'text'");
  });

  it("says where it fails", async () => {
    const { reply } = await kernel().run("%%js\n\nnull.field");
    assert.match((reply.traceback as string[]).join("\n"), /cell-\d+\.ts:3:6/);
  });
});

describe("the magics of files and packages", () => {
  const scratch = scratchFolder();
  let client: TestClient;

  beforeEach(async () => {
    client = await TestClient.start({ folder: scratch() });
  });
  afterEach(() => client?.shutDown());

  it("%load puts a file in the place of the cell", async () => {
    writeFileSync(scratch("part.ts"), "const part = 1;\n");
    const { reply } = await client.run("%load part.ts");
    assert.deepEqual(reply.payload, [
      { source: "set_next_input", text: "// %load part.ts\nconst part = 1;\n", replace: true },
    ]);
    const { reply: completed } = await client.request("complete_request", {
      code: "%load pa",
      cursor_pos: 8,
    });
    assert.deepEqual(completed.matches, ["part.ts"]);
  });

  it("%load refuses what is not there, and what is no text", async () => {
    assert.match(String((await client.run("%load none.ts")).reply.evalue), /There is no file none\.ts in /);
    writeFileSync(scratch("data.bin"), Uint8Array.of(1, 0, 2));
    assert.match(String((await client.run("%load data.bin")).reply.evalue), /data\.bin is not a text/);
    assert.match(String((await client.run("%load a b")).reply.evalue), /takes one file/);
  });

  it("%npm installs a package beside the notebook, which the next cell imports with its types", async () => {
    const answer = "export declare const answer: number;\n";
    mkdirSync(scratch("small"));
    const manifest = { name: "small", version: "1.0.0", main: "index.js", types: "index.d.ts" };
    writeFileSync(scratch("small/package.json"), JSON.stringify(manifest));
    writeFileSync(scratch("small/index.js"), "exports.answer = 42;\n");
    writeFileSync(scratch("small/index.d.ts"), answer);
    writeFileSync(scratch("package.json"), '{ "name": "beside", "version": "1.0.0" }');
    const { reply, published } = await client.run("%npm install ./small --no-audit --no-fund --offline");
    assert.equal(reply.status, "ok", plain(String(reply.evalue)));
    assert.match(textOf(published), /added 1 package/);
    assert.equal(await client.valueOf('import { answer } from "small";\nanswer'), "42");
  });

  it("%npm fails with what npm says", async () => {
    const { reply, published } = await client.run("%npm no-such-command");
    assert.match(String(reply.evalue), /npm no-such-command failed/);
    assert.match(textOf(published, "stderr") + textOf(published), /no-such-command/);
    assert.deepEqual(ofType(published, "execute_result"), []);
  });
});
