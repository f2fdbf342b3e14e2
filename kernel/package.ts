/** The package that the kernel is part of. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

/** The folder of the package: the nearest one upwards whose package.json names it. */
export const packageFolder: string = findPackage(dirname(fileURLToPath(import.meta.url)));

function findPackage(folder: string): string {
  const file = join(folder, "package.json");
  if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as PackageJson).name === "tslens")
    return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("the kernel is not inside the package tslens");
  return findPackage(parent);
}

/** The package's package.json. */
export const packageJson: PackageJson = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));
