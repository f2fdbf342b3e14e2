import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hubCacheFolder } from "../../../src/model/hub-cache.js";

/** The models of the hub that its clients have downloaded: those that can be loaded without a network. */
export function cachedModels(): string[] {
  const cache = hubCacheFolder();
  return foldersIn(cache)
    .filter((name) => name.startsWith("models--") && hasModel(join(cache, name)))
    .map((name) => name.slice("models--".length).replace("--", "/"))
    .sort();
}

function hasModel(folder: string): boolean {
  const snapshots = join(folder, "snapshots");
  return foldersIn(snapshots).some((commit) => existsSync(join(snapshots, commit, "config.json")));
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // There is no cache yet.
  }
}
