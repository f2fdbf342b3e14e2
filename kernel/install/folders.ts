import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where to install: for the user, under a prefix, or into the Python environment that is active. */
export type Target =
  | { readonly kind: "user" }
  | { readonly kind: "prefix"; readonly prefix: string }
  | { readonly kind: "sys-prefix" };

/**
 * The Jupyter data folder of a target, which Jupyter scans for kernels and extensions.
 *
 * @throws Error when the Python environment is asked for and no Python answers
 */
export function dataFolder(target: Target): string {
  switch (target.kind) {
    case "user":
      return userDataFolder();
    case "prefix":
      return join(resolve(target.prefix), "share", "jupyter");
    case "sys-prefix":
      return join(pythonPrefix(), "share", "jupyter");
  }
}

function userDataFolder(): string {
  const { JUPYTER_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === "win32") return join(APPDATA ?? join(homedir(), "AppData", "Roaming"), "jupyter");
  if (process.platform === "darwin") return join(homedir(), "Library", "Jupyter");
  return join(XDG_DATA_HOME ?? join(homedir(), ".local", "share"), "jupyter");
}

function pythonPrefix(): string {
  for (const python of ["python", "python3", "py"]) {
    const { status, stdout } = spawnSync(python, ["-c", "import sys; print(sys.prefix)"], {
      encoding: "utf8",
    });
    if (status === 0) return stdout.trim();
  }
  throw new Error(
    "There is no Python on the PATH to ask for its prefix. Use --user, or --prefix with a folder.",
  );
}

/** The folders in which Jupyter looks for kernels. */
export function searchedFolders(): string[] {
  const folders = [
    ...(process.env.JUPYTER_PATH?.split(process.platform === "win32" ? ";" : ":") ?? []),
    userDataFolder(),
  ];
  try {
    folders.push(join(pythonPrefix(), "share", "jupyter"));
  } catch {
    // Without a Python there is no environment to look in.
  }
  if (process.platform !== "win32") folders.push("/usr/local/share/jupyter", "/usr/share/jupyter");
  return [...new Set(folders.filter(Boolean))];
}
