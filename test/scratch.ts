import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty folder for each test of the suite that calls this, or one for the suite as a whole, removed after it. */
export function scratchFolder(per: "test" | "suite" = "test"): (...parts: string[]) => string {
  let folder = "";
  const make = async (): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), "tslens-test-"));
  };
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  if (per === "test") {
    beforeEach(make);
    afterEach(remove);
  } else {
    before(make);
    after(remove);
  }
  return (...parts) => join(folder, ...parts);
}
