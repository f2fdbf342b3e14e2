import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An empty cache folder for the suite that calls this, removed after it. */
export function scratchCache(): void {
  let folder = "";
  let previous: string | undefined;
  globalThis.before(() => {
    previous = process.env.TSLENS_CACHE;
    folder = mkdtempSync(join(tmpdir(), "tslens-cache-"));
    process.env.TSLENS_CACHE = folder;
  });
  globalThis.after(() => {
    if (previous === undefined) delete process.env.TSLENS_CACHE;
    else process.env.TSLENS_CACHE = previous;
    rmSync(folder, { recursive: true, force: true });
  });
}
