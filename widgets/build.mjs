// Builds the browser half: lib/ (modules), labextension/ (JupyterLab, Notebook 7), dist/ (HTML pages, VS Code,
// anywidget). Does nothing when no source is newer than the last build.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const outputs = ["lib", "labextension", "dist"];
const stamp = join(folder, "lib", ".built");
const widgets = ["acdc-animation", "activation-table", "patching-explorer", "progress", "steering-controls"];

function sources(path = folder) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (outputs.includes(entry.name) || entry.name === "node_modules") return [];
    const full = join(path, entry.name);
    return entry.isDirectory() ? sources(full) : [full];
  });
}

function isBuilt() {
  if (!existsSync(stamp) || !outputs.every((output) => existsSync(join(folder, output)))) return false;
  const built = statSync(stamp).mtimeMs;
  return sources().every((file) => statSync(file).mtimeMs <= built);
}

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

async function bundle({ name }) {
  const { build } = await import("esbuild");
  const common = {
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    target: "es2022",
    legalComments: "none",
  };
  // An AMD module: what the HTML manager (nbconvert, nbviewer, VS Code) asks of a CDN.
  await build({
    ...common,
    entryPoints: ["lib/browser/index.js"],
    outfile: "dist/index.js",
    format: "cjs",
    external: ["@jupyter-widgets/base"],
    banner: {
      js: `define(${JSON.stringify(name)},["require","exports","module","@jupyter-widgets/base"],function(require,exports,module){`,
    },
    footer: { js: "return module.exports;});" },
  });
  // The views alone, for anywidget and for any page that has a model to give.
  await build({
    ...common,
    entryPoints: widgets.map((widget) => ({ in: `lib/${widget}/view.js`, out: widget })),
    outdir: "dist/anywidget",
    outExtension: { ".js": ".mjs" },
    format: "esm",
  });
}

if (!isBuilt()) {
  const started = Date.now();
  for (const output of outputs) rmSync(join(folder, output), { recursive: true, force: true });
  run(
    require.resolve("typescript/lib/typescript.js").replace(/lib.typescript\.js$/, "bin/tsc"),
    "-p",
    folder,
  );
  const packageJson = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const wire = await import(pathToFileURL(join(folder, "lib", "version.js")).href);
  if (wire.version !== packageJson.version || wire.moduleName !== packageJson.name)
    throw new Error(
      `widgets/version.ts says ${wire.moduleName} ${wire.version}, but widgets/package.json ${packageJson.name} ${packageJson.version}: make them the same.`,
    );
  run(
    require.resolve("@jupyter/builder/lib/build-labextension.js"),
    "--core-package-file",
    require.resolve("@jupyterlab/core-meta/core.package.json"),
    ".",
  );
  await bundle(packageJson);
  writeFileSync(stamp, "");
  console.log(`widgets built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
