import { realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The Node that kernels are started with: a path that outlives an update where the PATH has one, since package
 * managers put the version into the real path.
 */
export function stableNode(): string {
  const name = process.platform === "win32" ? "node.exe" : "node";
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const candidate = join(folder, name);
    try {
      if (folder && realpathSync(candidate) === realpathSync(process.execPath)) return candidate;
    } catch {
      // No Node in this folder.
    }
  }
  return process.execPath;
}
