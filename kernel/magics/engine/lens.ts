import { logitLens } from "../../../src/index.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
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
  typescript(call) {
    const text = JSON.stringify(textOf(call, "%lens Mary gave the book to"));
    const options = objectCode({ topK: unless(5, call.options.topK) });
    return `${importCode("logitLens")}await ${callCode("logitLens", "model", text, options)};`;
  },
  run: (context) =>
    logitLens(currentModel(context), textOf(context, "%lens Mary gave the book to"), {
      topK: context.options.topK,
      signal: context.signal,
    }),
});

export default magic;
