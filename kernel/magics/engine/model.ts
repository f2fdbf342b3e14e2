import { bundledModels, type LoadOptions, loadModel } from "../../../src/index.js";
import { pathsFor } from "../builtin/paths.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import type { OptionValues } from "../options.js";
import { cachedModels } from "./cached-models.js";
import { currentModel, MODEL } from "./current-model.js";

const options = {
  revision: {
    type: "string",
    placeholder: "name",
    help: "a branch, tag or commit of the hub's, or a checkpoint of training, such as step-1000",
  },
  processing: { type: "boolean", help: "fold and centre the weights, which keeps what the model computes" },
  dtype: {
    type: "string",
    choices: ["stored", "float32"],
    default: "stored",
    help: "whether weights of 16 bits stay so in memory",
  },
  quantization: {
    type: "string",
    choices: ["int8", "int4"],
    help: "make the matrices smaller; what the model computes becomes approximate",
  },
} as const;

const magic: Magic = defineMagic({
  name: "model",
  kind: "line",
  summary: "Loads a model for the other magics, or shows the one that they work on.",
  usage: "[<name or folder>]",
  options,
  example: "%model tiny-world",
  typescript({ words, options }) {
    if (words.length === 0) return "model;";
    const call = callCode(
      "loadModel",
      JSON.stringify(words.join(" ")),
      objectCode({ ...loadOptions(options) }),
    );
    return `${importCode("loadModel")}const model = await ${call};`;
  },
  async run({ words, options, signal, session, variables }) {
    if (words.length === 0) return currentModel({ session, variables });
    const model = await loadModel(words.join(" "), { ...loadOptions(options), signal });
    session.set(MODEL, model);
    return model;
  },
  complete({ word, option }) {
    if (option) return [];
    return /^[./~]/.test(word) ? pathsFor(word) : [...bundledModels(), ...cachedModels()];
  },
});

export default magic;

/** The options that are not the defaults. */
function loadOptions({
  revision,
  processing,
  dtype,
  quantization,
}: OptionValues<typeof options>): LoadOptions {
  const given = {
    revision,
    processing: processing || undefined,
    dtype: unless("stored", dtype),
    quantization,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
