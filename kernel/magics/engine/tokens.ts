import { tokenTable } from "../../../src/index.js";
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
  typescript: 'import { tokenTable } from "tslens";\ntokenTable(model, "Mary gave the book to");',
  run: (context) =>
    tokenTable(currentModel(context), textOf(context, "%tokens Mary gave the book to"), {
      ...(context.options.bos ? { prependBos: true } : {}),
    }),
});

export default magic;
