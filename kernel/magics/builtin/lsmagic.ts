import { DISPLAY } from "../../display/mime.js";
import { usageLine } from "../help.js";
import { defineMagic, type Magic } from "../magic.js";

const magic: Magic = defineMagic({
  name: "lsmagic",
  kind: "line",
  summary: "Lists the magics. `%name?` shows the help of one.",
  example: "%lsmagic",
  typescript: 'console.log("every magic is a function of the library: %name? says which");',
  run({ magics }) {
    const rows = magics.map((magic) => ({ usage: usageLine(magic), summary: magic.summary }));
    const width = Math.max(...rows.map(({ usage }) => usage.length));
    const text = rows.map(({ usage, summary }) => `${usage.padEnd(width)}  ${summary}`).join("\n");
    const cells = rows.map(
      ({ usage, summary }) => `| \`${usage.replaceAll("|", "\\|")}\` | ${summary.replaceAll("|", "\\|")} |`,
    );
    const markdown = `| magic | what it does |\n| --- | --- |\n${cells.join("\n")}`;
    return { [DISPLAY]: () => ({ "text/plain": text, "text/markdown": markdown }) };
  },
});

export default magic;
