// Makes a fresh clone ready, and is quick when it is: npm packages, the build, a Python environment with Jupyter in
// .python/, and the kernel in it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, pythonCommand, pythonFolder, repository, run } from "./environment.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`tslens needs Node 20.19 or newer; this is ${process.version}.`);

/** Whether node_modules holds what the lock file says; npm keeps a lock file of what it has installed. */
function packagesMatch() {
  const installed = join(repository, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const present = read(installed);
  const wanted = Object.entries(read(join(repository, "package-lock.json"))).filter(([path]) =>
    path.includes("node_modules"),
  );
  // An optional package may be for another platform.
  return wanted.every(
    ([path, { version, optional }]) => (optional && !present[path]) || present[path]?.version === version,
  );
}

function installPackages() {
  if (packagesMatch()) return;
  console.log("Installing npm packages …");
  // onnxruntime-node would download CUDA.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  run("npm ci", "npm", ["ci"], { env, shell: process.platform === "win32" });
}

/** A Python of at least 3.10. */
function findPython() {
  const check = "import sys; sys.exit(0 if sys.version_info >= (3, 10) else 1)";
  const python = ["python3", "python", "py"].find((name) => spawnSync(name, ["-c", check]).status === 0);
  return (
    python ??
    fail("There is no Python 3.10 or newer on the PATH. JupyterLab needs one: install it and run this again.")
  );
}

function installPython() {
  const requirements = join(repository, "test", "requirements.txt");
  const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const stamp = join(pythonFolder, "requirements.sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted && existsSync(pythonCommand("python")))
    return;
  console.log("Making a Python environment with JupyterLab in .python/ …");
  const python = findPython();
  rmSync(pythonFolder, { recursive: true, force: true });
  const { status } = spawnSync(python, ["-m", "venv", pythonFolder], { stdio: "inherit" });
  if (status !== 0) {
    rmSync(pythonFolder, { recursive: true, force: true });
    fail("Python's venv does not work here. On Debian and Ubuntu: apt-get install python3-venv");
  }
  const quiet = ["--quiet", "--disable-pip-version-check"];
  run("pip", pythonCommand("python"), ["-m", "pip", "install", ...quiet, "-r", requirements]);
  // Scripts that Python packages bring are not ES modules, as this repository's are.
  writeFileSync(join(pythonFolder, "package.json"), "{}\n");
  writeFileSync(stamp, wanted);
}

/** JupyterLab's defaults, as on Binder: widgets are saved with their notebooks, and nobody is asked about news. */
function writeLabDefaults() {
  const folder = join(pythonFolder, "share", "jupyter", "lab", "settings");
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(repository, "binder", "overrides.json"), join(folder, "overrides.json"));
}

installPackages();
run("The build", process.execPath, ["scripts/build.mjs"]);
installPython();
writeLabDefaults();
const cli = join("dist", "kernel", "cli.js");
run("Installing the kernel", process.execPath, [cli, "kernel", "install", "--prefix", pythonFolder], {
  stdio: ["ignore", "ignore", "inherit"],
});
