import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as core from "../../../kernel/comms/core/generated.js";
import { setCurrentWidgets } from "../../../kernel/comms/index.js";
import { repository } from "../../shared.js";
import { host } from "./host.js";

interface Model {
  readonly model: { readonly module: string; readonly name: string; readonly version: string };
  readonly view: { readonly name: string | null };
  readonly attributes: readonly { readonly name: string; readonly type: string; readonly default: unknown }[];
}

const schema = createRequire(import.meta.url)(
  "@jupyter-widgets/schema/jupyterwidgetmodels.latest.json",
) as Model[];

describe("the classes of the core widgets", () => {
  it("are what the generator makes of the schema", async () => {
    const script = pathToFileURL(join(repository, "scripts", "generate-core-widgets.mjs")).href;
    const { generateCoreWidgets, generatedFile } = (await import(script)) as {
      generateCoreWidgets(): string;
      generatedFile: string;
    };
    const biome = join(repository, "node_modules", "@biomejs", "biome", "bin", "biome");
    const { stdout, status } = spawnSync(
      process.execPath,
      [biome, "check", "--write", "--stdin-file-path", generatedFile],
      { input: generateCoreWidgets(), encoding: "utf8", cwd: repository },
    );
    assert.equal(status, 0);
    assert.equal(stdout, readFileSync(generatedFile, "utf8"));
  });

  it("open every widget of the schema with the state that it gives, and no other", () => {
    const { sent, widgets } = host();
    setCurrentWidgets(widgets);
    const classes = Object.values(core).filter((value) => "definition" in value);
    assert.equal(classes.length, 68);
    for (const Widget of classes) {
      const { identity } = Widget.definition;
      const model = schema.find(({ model: { name } }) => name === identity._model_name)!;
      const selects = "optionsLabels" in Widget.definition.traits;
      new (Widget as new (traits: object) => unknown)(selects ? { options: ["a", "b"] } : {});
      const { state } = sent.at(-1)!.data as { state: Record<string, unknown> };
      const names = model.attributes.map(({ name }) => name);
      const buffers = model.attributes.filter(({ type }) => type === "bytes").map(({ name }) => name);
      assert.deepEqual(
        [...Object.keys(state), ...buffers].sort(),
        names.sort(),
        String(identity._model_name),
      );
      for (const { name, type, default: standard } of model.attributes) {
        if (name === "_options_labels" || name === "index" || type === "bytes") continue;
        if (type === "reference") assert.match(String(state[name]), /^IPY_MODEL_/);
        else assert.deepEqual(state[name], standard, `${identity._model_name}.${name}`);
      }
    }
    setCurrentWidgets(undefined);
  });
});
