import { activationTable } from "../../views/activation-table.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, textOf } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "attn",
  kind: "both",
  summary:
    "Shows the attention patterns of a text as a live table: which token looks at which, by layer and head.",
  usage: "<text>",
  options: {
    layer: { type: "integer", default: 0, short: "l", help: "the layer that is shown first" },
    head: { type: "integer", default: 0, help: "the head that is shown first" },
  },
  example: "%attn --layer 1 Mary and John went to the store. John gave a book to",
  typescript(call) {
    const { layer, head } = call.options;
    const text = JSON.stringify(textOf(call, "%attn Mary gave the book to"));
    const names = '{ names: (name) => name.endsWith("hook_pattern") }';
    const shown = objectCode({ point: `blocks.${layer}.attn.hook_pattern`, head: unless(0, head) });
    return `${importCode("activationTable", "tslens/widgets")}const { cache } = await ${callCode("model.runWithCache", text, names)};\nawait ${callCode("activationTable", "cache", shown)};`;
  },
  async run(context) {
    const { options, signal } = context;
    const model = currentModel(context);
    const text = textOf(context, "%attn Mary gave the book to");
    const point = model.pointName(["pattern", options.layer]);
    const names = (name: string): boolean => name.endsWith("hook_pattern");
    const { cache } = await model.runWithCache(text, { names, signal, logits: "none" });
    return activationTable(cache, { point, head: options.head });
  },
});

export default magic;
