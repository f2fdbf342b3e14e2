import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../../../kernel/install/folders.js";
import { scratchFolder } from "../../scratch.js";
import { repository } from "../../shared.js";

describe("tslens kernel", () => {
  const scratch = scratchFolder();

  function tslens(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { ...process.env, JUPYTER_DATA_DIR: scratch("user"), JUPYTER_PATH: scratch("searched") };
    return spawnSync(process.execPath, [join(repository, "dist", "kernel", "cli.js"), ...args], {
      encoding: "utf8",
      env,
    });
  }

  it("install copies the kernelspec, logos and the labextension, and needs no Python", () => {
    const { status, stderr } = tslens("kernel", "install", "--prefix", scratch("prefix"));
    assert.equal(status, 0, stderr);
    const data = scratch("prefix", "share", "jupyter");
    const spec = JSON.parse(readFileSync(join(data, "kernels", "tslens", "kernel.json"), "utf8"));
    assert.equal(spec.display_name, "TypeScript (tslens)");
    assert.equal(spec.language, "typescript");
    assert.equal(spec.interrupt_mode, "message");
    assert.equal(realpathSync(spec.argv[0]), realpathSync(process.execPath));
    assert.ok(existsSync(spec.argv.find((word: string) => word.endsWith("main.js"))));
    assert.ok(spec.argv.includes("{connection_file}"));
    for (const [size, name] of [
      [32, "logo-32x32.png"],
      [64, "logo-64x64.png"],
    ] as const) {
      const png = readFileSync(join(data, "kernels", "tslens", name));
      assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [size, size]);
    }
    const extension = join(data, "labextensions", "tslens-widgets");
    assert.equal(JSON.parse(readFileSync(join(extension, "package.json"), "utf8")).name, "tslens-widgets");
    assert.equal(JSON.parse(readFileSync(join(extension, "install.json"), "utf8")).packageManager, "npm");
  });

  it("install again replaces, list finds, uninstall removes", () => {
    for (let i = 0; i < 2; i++) assert.equal(tslens("kernel", "install", "--user").status, 0);
    assert.deepEqual(readdirSync(scratch("user", "kernels")), ["tslens"]);
    assert.match(tslens("kernel", "list").stdout, /user.kernels.tslens/);
    assert.match(tslens("kernel", "uninstall").stdout, /removed .*kernels.tslens\nremoved .*tslens-widgets/);
    assert.deepEqual(readdirSync(scratch("user", "kernels")), []);
    assert.match(tslens("kernel", "uninstall").stdout, /Nothing was installed/);
  });

  it("refuses what it does not understand, with its usage", () => {
    for (const args of [
      ["kernel", "instal"],
      ["kernel", "install", "--usr"],
      ["kernel", "install", "--user", "--sys-prefix"],
      ["frobnicate"],
      ["run"],
    ]) {
      const { status, stderr } = tslens(...args);
      assert.equal(status, 2, args.join(" "));
      assert.match(stderr, /tslens kernel install/);
    }
    assert.match(tslens("run", "missing.ipynb").stderr, /There is no notebook missing\.ipynb/);
    assert.equal(tslens("--help").status, 0);
  });

  it("finds the data folder of a prefix", () => {
    assert.equal(dataFolder({ kind: "prefix", prefix: scratch("p") }), scratch("p", "share", "jupyter"));
  });
});
