import { activationTable } from "../../views/activation-table.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, pointNames, textOf } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "trace",
  kind: "both",
  summary: "Runs the model on a text and shows what is inside as a live table.",
  usage: "<text>",
  options: {
    point: {
      type: "string",
      placeholder: "name",
      help: "the point that is shown first, such as pattern0 or resid_pre2",
    },
    head: { type: "integer", default: 0, help: "the head that is shown first" },
    topK: { type: "integer", default: 0, help: "only so many columns, the largest ones; 0 for all" },
    names: {
      type: "string",
      placeholder: "pattern",
      help: "keep only the points whose names have this in them",
    },
  },
  example: "%%trace --point blocks.0.attn.hook_pattern\nMary and John went to the store. John gave a book to",
  typescript(call) {
    const { point, head, topK, names } = call.options;
    const text = JSON.stringify(textOf(call, "%trace Mary gave the book to"));
    const kept = names === undefined ? "" : `{ names: (name) => name.includes(${JSON.stringify(names)}) }`;
    const shown = objectCode({ point, head: unless(0, head), topK: unless(0, topK) });
    return `${importCode("activationTable", "tslens/widgets")}const { cache } = await ${callCode("model.runWithCache", text, kept)};\nawait ${callCode("activationTable", "cache", shown)};`;
  },
  async run(context) {
    const { options, signal } = context;
    const model = currentModel(context);
    const text = textOf(context, "%trace Mary gave the book to");
    const point = options.point === undefined ? undefined : model.pointName(options.point);
    const part = options.names;
    const names = part === undefined ? undefined : (name: string) => name === point || name.includes(part);
    const { cache } = await model.runWithCache(text, { names, signal, logits: "none" });
    return activationTable(cache, { point, head: options.head, topK: options.topK });
  },
  complete: (request) => (request.option === "point" ? pointNames(request) : []),
});

export default magic;
