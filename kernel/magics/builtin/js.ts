import { defineMagic, type Magic } from "../magic.js";

const magic: Magic = defineMagic({
  name: "js",
  kind: "cell",
  summary: "Runs the cell as JavaScript: nothing is said about its types.",
  parsed: false,
  example: "%%js\nlet anything = 1;\nanything = 'text';",
  typescript: "// @ts-nocheck\nlet anything = 1;\nanything = 'text';",
  run: ({ body, execute }) => execute(`// @ts-nocheck\n${body}`),
});

export default magic;
