/** Where the hub's clients keep files, and what they are told by the environment. */

import { environment, exists, homeFolder, joinPath, readTextFile } from "../array/index.js";

const home = (): string =>
  environment("HF_HOME") ??
  joinPath(environment("XDG_CACHE_HOME") ?? joinPath(homeFolder(), ".cache"), "huggingface");

/** Where the hub's clients keep files: `HF_HUB_CACHE`, or `hub` in `HF_HOME`, by default `~/.cache/huggingface`. */
export function hubCacheFolder(): string {
  return environment("HF_HUB_CACHE") ?? environment("HUGGINGFACE_HUB_CACHE") ?? joinPath(home(), "hub");
}

/** The folder of a repository in the cache. */
export function hubCache(name: string): string {
  return joinPath(hubCacheFolder(), `models--${name.replace("/", "--")}`);
}

/** Whether the user wants no network to be used. */
export function isOffline(): boolean {
  return ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].some((name) =>
    /^(1|true|yes|on)$/i.test(environment(name) ?? ""),
  );
}

/** The user's token: `HF_TOKEN`, or the file that `hf auth login` writes. */
export async function hubToken(): Promise<string | undefined> {
  const given = environment("HF_TOKEN") ?? environment("HUGGING_FACE_HUB_TOKEN");
  if (given) return given.trim();
  const file = environment("HF_TOKEN_PATH") ?? joinPath(home(), "token");
  return (await exists(file)) ? (await readTextFile(file)).trim() || undefined : undefined;
}

/** Where the files of a revision would be, if its commit is not known. */
export function snapshotFolder(name: string, revision: string): string {
  return joinPath(hubCache(name), "snapshots", revision);
}

/** The folder of a revision's files, where the cache knows its commit. */
export async function snapshotOf(name: string, revision: string): Promise<string | undefined> {
  const reference = joinPath(hubCache(name), "refs", revision);
  const commit = (await exists(reference)) ? (await readTextFile(reference)).trim() : revision;
  const folder = snapshotFolder(name, commit);
  return /^[\w.-]+$/.test(commit) && (await exists(folder)) ? folder : undefined;
}
