/** NumPy's archives of named arrays: zip files of `.npy` files. */
import { zipSync } from "fflate";
import { withFile, writeFile } from "./files.js";
import { decodeNpy, encodeNpy, type NpyArray, npyToTensor, type WritableNpy } from "./npy.js";
import type { Tensor } from "./tensor.js";
import { readZipEntries, readZipEntry } from "./zip.js";

/**
 * Reads arrays of a `.npz` file by name.
 *
 * @param names Which arrays; all by default. Only these are read from the disk.
 * @throws Error naming the file, and where a name is missing the names that are there.
 * @example
 * ```ts
 * const { tokens } = Object.fromEntries(await readNpz("reference.npz", ["tokens"]));
 * ```
 */
export function readNpz(path: string, names?: readonly string[]): Promise<Map<string, NpyArray>> {
  return withFile(path, async (file) => {
    const entries = new Map(
      (await readZipEntries(file)).map((entry) => [entry.name.replace(/\.npy$/, ""), entry]),
    );
    const arrays = new Map<string, NpyArray>();
    for (const name of names ?? entries.keys()) {
      const entry = entries.get(name);
      if (!entry) {
        throw new Error(
          `${path} has no array "${name}"; it has ${[...entries.keys()].slice(0, 20).join(", ")}.`,
        );
      }
      arrays.set(name, decodeNpy(await readZipEntry(file, entry), `"${name}" in ${path}`));
    }
    return arrays;
  });
}

/** The names of the arrays in a `.npz` file, in its order. */
export function npzNames(path: string): Promise<string[]> {
  return withFile(path, async (file) =>
    (await readZipEntries(file)).map(({ name }) => name.replace(/\.npy$/, "")),
  );
}

/** Reads one array of a `.npz` file as a float32 tensor. */
export async function readNpzTensor(path: string, name: string): Promise<Tensor> {
  return npyToTensor((await readNpz(path, [name])).get(name)!);
}

/** Writes a `.npz` file, whole or not at all; `compress` (default true) deflates. */
export async function writeNpz(
  path: string,
  arrays: Readonly<Record<string, WritableNpy>>,
  options: { compress?: boolean } = {},
): Promise<void> {
  const files = Object.fromEntries(
    Object.entries(arrays).map(([name, value]) => [`${name}.npy`, encodeNpy(value)]),
  );
  // A fixed date: the same arrays give the same bytes.
  const archive = zipSync(files, { level: options.compress === false ? 0 : 6, mtime: new Date(1980, 0, 1) });
  await writeFile(path, archive);
}
