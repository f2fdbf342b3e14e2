import { activationTable } from "../../views/activation-table.js";
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
  example: "%%trace --point pattern0\nMary and John went to the store. John gave a book to",
  typescript:
    'import { activationTable } from "tslens/widgets";\nconst { cache } = await model.runWithCache("Mary and John went to the store. John gave a book to");\nawait activationTable(cache, { point: "blocks.0.attn.hook_pattern" });',
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
