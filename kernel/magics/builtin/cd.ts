import { homedir } from "node:os";
import { defineMagic, type Magic } from "../magic.js";
import { pathsFor } from "./paths.js";

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
  complete: ({ word }) => pathsFor(word).filter((path) => path.endsWith("/")),
});

export default magic;
