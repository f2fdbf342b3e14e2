import { spawn } from "node:child_process";
import { defineMagic, type Magic } from "../magic.js";
import { splitWords, UsageError } from "../options.js";

const magic: Magic = defineMagic({
  name: "npm",
  kind: "line",
  summary: "Runs npm in the notebook's folder: installs the packages that cells import.",
  usage: "install <packages>",
  parsed: false,
  example: "%npm install d3-array",
  typescript:
    'import { execSync } from "node:child_process";\nexecSync("npm install d3-array", { stdio: "inherit" });',
  async run({ line, signal }) {
    const words = splitWords(line).map(({ text }) => text);
    if (!words.length) throw new UsageError("%npm needs a command, such as `%npm install d3-array`.");
    await runNpm(words, signal);
  },
  complete: ({ line }) => (line.trim().includes(" ") ? [] : ["install", "uninstall", "ls", "view"]),
});

export default magic;

/** Runs npm; what it says goes to the cell. */
async function runNpm(words: readonly string[], signal: AbortSignal): Promise<void> {
  const windows = process.platform === "win32";
  // On Windows npm is a script that only a shell starts; there quotes keep each word whole.
  const child = windows
    ? spawn(`npm.cmd ${words.map((word) => JSON.stringify(word)).join(" ")}`, { shell: true, signal })
    : spawn("npm", words, { signal });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  });
  const printed = [print(child.stdout, process.stdout), print(child.stderr, process.stderr)];
  const [code] = await Promise.all([ended, ...printed]);
  if (code !== 0) throw new Error(`npm ${words.join(" ")} failed (exit code ${code}); npm says above why.`);
}

/** Awaited in the cell, so that the text belongs to it. */
async function print(from: AsyncIterable<Uint8Array>, to: NodeJS.WriteStream): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of from) to.write(decoder.decode(chunk, { stream: true }));
}
