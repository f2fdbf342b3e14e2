import { bundledModels, loadModel } from "../../../src/index.js";
import { importCode } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, MODEL } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "model",
  kind: "line",
  summary: "Loads a model for the other magics, or shows the one that they work on.",
  usage: "[<name or folder>]",
  example: "%model tiny-world",
  typescript: ({ words }) =>
    words.length === 0
      ? "model;"
      : `${importCode("loadModel")}const model = await loadModel(${JSON.stringify(words.join(" "))});`,
  async run({ words, signal, session, variables }) {
    if (words.length === 0) return currentModel({ session, variables });
    const model = await loadModel(words.join(" "), { signal });
    session.set(MODEL, model);
    return model;
  },
  complete: () => bundledModels(),
});

export default magic;
