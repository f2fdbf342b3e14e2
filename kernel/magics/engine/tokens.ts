import { tokenTable } from "../../../src/index.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, textOf } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "tokens",
  kind: "both",
  summary: "Shows the tokens of a text, with their ids.",
  usage: "<text>",
  options: {
    bos: { type: "boolean", help: "put the model's first token in front" },
  },
  example: "%tokens Mary gave the book to",
  typescript(call) {
    const text = JSON.stringify(textOf(call, "%tokens Mary gave the book to"));
    const options = objectCode({ prependBos: unless(false, call.options.bos) });
    return `${importCode("tokenTable")}${callCode("tokenTable", "model", text, options)};`;
  },
  run: (context) =>
    tokenTable(currentModel(context), textOf(context, "%tokens Mary gave the book to"), {
      ...(context.options.bos ? { prependBos: true } : {}),
    }),
});

export default magic;
