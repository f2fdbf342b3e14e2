import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** The files and folders (with a slash at their ends) of the folder in which the word under the cursor looks. */
export function pathsFor(word: string): string[] {
  const folder = word.endsWith("/") ? word : `${dirname(word)}/`;
  const prefix = folder === "./" && !word.startsWith("./") ? "" : folder;
  try {
    const entries = readdirSync(folder || ".", { withFileTypes: true });
    return entries.map((entry) => join(prefix, entry.name) + (entry.isDirectory() ? "/" : ""));
  } catch {
    return []; // There is no such folder: nothing completes it.
  }
}
