import { homedir } from "node:os";
import { defineMagic, type Magic } from "../magic.js";
import { UsageError } from "../options.js";
import { pathsFor } from "./paths.js";

const magic: Magic = defineMagic({
  name: "cd",
  kind: "line",
  summary: "Changes the folder in which files are looked for. Without a word it says which that is.",
  usage: "[folder]",
  example: "%cd ..",
  typescript: 'process.chdir("..");',
  run({ words }) {
    if (words.length > 1)
      throw new UsageError(
        `%cd takes one folder, in quotes where its name has spaces; ${words.length} words came.`,
      );
    if (words.length) changeTo(words[0]!);
    console.log(process.cwd());
  },
  complete: ({ word }) => pathsFor(word).filter((path) => path.endsWith("/")),
});

export default magic;

function changeTo(folder: string): void {
  try {
    process.chdir(folder.replace(/^~(?=\/|$)/, homedir()));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "ENOTDIR" ? `${folder} is no folder` : `There is no folder ${folder}`;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw new UsageError(`${reason} in ${process.cwd()}.`);
  }
}
