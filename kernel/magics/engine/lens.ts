import { logitLens } from "../../../src/index.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, textOf } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "lens",
  kind: "both",
  summary: "Shows what the model would say after each layer: the logit lens.",
  usage: "<text>",
  options: {
    topK: { type: "integer", default: 5, short: "k", help: "tokens that are kept at each place" },
  },
  example: "%lens Mary and John went to the store. John gave a book to",
  typescript:
    'import { logitLens } from "tslens";\nawait logitLens(model, "Mary and John went to the store. John gave a book to");',
  run: (context) =>
    logitLens(currentModel(context), textOf(context, "%lens Mary gave the book to"), {
      topK: context.options.topK,
      signal: context.signal,
    }),
});

export default magic;
