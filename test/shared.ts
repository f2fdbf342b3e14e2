import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the repository. */
export const repository: string = fileURLToPath(new URL("..", import.meta.url));

/** A file in `test/fixtures`. */
export function fixture(...parts: string[]): string {
  return join(repository, "test", "fixtures", ...parts);
}

/**
 * A path in the folder `shared` beside the repository, which holds real models and reference values that are too large
 * for it; undefined where it is not there.
 */
export function shared(...parts: string[]): string | undefined {
  const path = join(repository, "..", "shared", ...parts);
  return existsSync(path) ? path : undefined;
}

/** As `shared`; where the path is not there, the test that calls it is skipped with a line that says so. */
export function sharedOrSkip(test: Mocha.Context, ...parts: string[]): string {
  const path = shared(...parts);
  if (path) return path;
  console.log(`      skipped: ../shared/${parts.join("/")} is not here`);
  return test.skip();
}
