import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { defineMagic, type Magic } from "../magic.js";

const magic: Magic = defineMagic({
  name: "cd",
  kind: "line",
  summary: "Changes the folder in which files are looked for. Without a word it says which that is.",
  usage: "[folder]",
  example: "%cd ..",
  typescript: 'process.chdir("..");',
  run({ words }) {
    const [folder] = words;
    if (folder !== undefined) process.chdir(folder.replace(/^~(?=\/|$)/, homedir()));
    console.log(process.cwd());
  },
  complete({ word }) {
    const folder = word.endsWith("/") ? word : `${dirname(word)}/`;
    const prefix = folder === "./" && !word.startsWith("./") ? "" : folder;
    try {
      const entries = readdirSync(folder || ".", { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${join(prefix, name)}/`);
    } catch {
      return []; // There is no such folder: nothing completes it.
    }
  },
});

export default magic;
