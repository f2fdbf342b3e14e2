// What the scripts know of the machine: the repository, its Python environment, a browser.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const windows = process.platform === "win32";

/** The folder of the repository. */
export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder of the Python environment that setup makes. */
export const pythonFolder = join(repository, ".python");

/** A command of the Python environment. */
export function pythonCommand(name) {
  return join(pythonFolder, windows ? "Scripts" : "bin", windows ? `${name}.exe` : name);
}

/** Ends the script with a sentence. */
export function fail(sentence) {
  console.error(`\n${sentence}`);
  process.exit(1);
}

/** Runs a command with this terminal; ends the script with a sentence when it fails. */
export function run(what, command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", cwd: repository, ...options });
  if (error) fail(`${what} failed: ${command} does not start (${error.message}).`);
  if (status !== 0) fail(`${what} failed: ${[command, ...args].join(" ")} ended with ${status}.`);
}

/** A Chromium for browser tests: the one in $CHROMIUM, or one of the usual names; undefined where there is none. */
export function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) {
    if (!existsSync(CHROMIUM)) fail(`CHROMIUM says ${CHROMIUM}, but there is no such file.`);
    return CHROMIUM;
  }
  const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
  const folders = PATH.split(windows ? ";" : ":").filter(Boolean);
  const places = [
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ];
  return places.find((place) => existsSync(place));
}
