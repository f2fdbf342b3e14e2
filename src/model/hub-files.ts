/** Which files of a repository a model is made of. */

import { exists, joinPath } from "../array/index.js";
import { HubError } from "./hub-fetch.js";
import { tokenizerFiles, tokenizerSettings } from "./tokenizer-files.js";
import { readShardIndex, weightFiles } from "./weight-files.js";

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Its hash: SHA-256 of large files, Git's of small ones. */
  readonly hash: { readonly algorithm: "sha256" | "git"; readonly digest: string };
}

/** What a repository holds at a commit. */
export interface Listing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

/** The files that a model is loaded from, weights last; of shards their index only, which names them. */
export function chooseFiles(name: string, files: ReadonlyMap<string, HubFile>): HubFile[] {
  const has = (path: string): boolean => files.has(path);
  const tokenizer = tokenizerFiles.find((group) => group.every(has)) ?? [];
  const settings = ["generation_config.json", ...tokenizerSettings].filter(has);
  const weights = weightFiles.flatMap((path) => [path, `${path}.index.json`]).find(has);
  const missing = [
    ...(has("config.json") ? [] : ["config.json"]),
    ...(weights ? [] : [`weights (${weightFiles.join(" or ")}, or their index)`]),
  ];
  if (missing.length > 0)
    throw new HubError(
      `The repository "${name}" has no ${missing.join(" and no ")}, so it is no model that can be loaded.`,
    );
  return ["config.json", ...settings, ...tokenizer, weights!].map((path) => files.get(path)!);
}

/** The files that a folder lacks to be a model. */
export async function missingFiles(folder: string): Promise<string[]> {
  const has = (path: string): Promise<boolean> => exists(joinPath(folder, path));
  const missing = (await has("config.json")) ? [] : ["config.json"];
  for (const path of weightFiles) {
    if (await has(path)) return missing;
    const index = `${path}.index.json`;
    if (!(await has(index))) continue;
    for (const shard of new Set((await readShardIndex(joinPath(folder, index))).values()))
      if (!(await has(shard))) missing.push(shard);
    return missing;
  }
  return [...missing, `the weights (${weightFiles.join(" or ")}, or their index)`];
}
