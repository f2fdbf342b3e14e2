import { DISPLAY } from "../../display/mime.js";
import { defineMagic, type Magic } from "../magic.js";

function markup(name: string, type: string, example: string): Magic {
  return defineMagic({
    name,
    kind: "cell",
    summary: `Shows the cell as ${type}.`,
    parsed: false,
    example: `%%${name}\n${example}`,
    typescript: `({ [Symbol.for("Jupyter.display")]: () => ({ "${type}": ${JSON.stringify(example)} }) })`,
    run: ({ body }) => ({ [DISPLAY]: () => ({ "text/plain": body, [type]: body }) }),
  });
}

export const html: Magic = markup("html", "text/html", "<b>bold</b>");
export const markdown: Magic = markup("markdown", "text/markdown", "**bold**");
