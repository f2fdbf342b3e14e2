/**
 * Models from the Hugging Face hub, kept in the cache that all of its clients share (`blobs`, `snapshots`, `refs`).
 *
 * `@huggingface/hub` says what a repository holds. Files are fetched here, since its own download neither resumes nor
 * checks what came.
 */

import { environment, exists, joinPath, linkFile, makeFolder, withLock, writeFile } from "../array/index.js";
import { type Progress, reportProgress, workSignal } from "../runtime/host.js";
import { hubCache, isOffline, snapshotFolder, snapshotOf } from "./hub-cache.js";
import { downloadFile, HubError, hubFetch } from "./hub-fetch.js";
import { chooseFiles, type HubFile, type Listing, missingFiles } from "./hub-files.js";
import { readShardIndex } from "./weight-files.js";

/** How a model is fetched. */
export interface HubOptions {
  /** A branch, a tag or a commit; `"main"` by default. */
  readonly revision?: string;
  /** Ends the work; what has come of a file is kept and continued the next time. */
  readonly signal?: AbortSignal;
  /** Called with the bytes that have come, of all files together. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Whether a name can be a repository's: `owner/name`. */
export function isHubName(name: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name) && !/\.\.|--|\.git$/.test(name);
}

/**
 * The folder of a model's files in the hub's cache. What is missing there is downloaded: `config.json`, the tokenizer,
 * and weights, safetensors rather than PyTorch's. Settings are those of all the hub's clients: `HF_HOME`, `HF_HUB_CACHE`,
 * `HF_TOKEN`, `HF_ENDPOINT`, `HF_HUB_OFFLINE`.
 *
 * @throws with the files that are missing and the places where they were looked for, where the hub cannot be reached; with
 * what to do, where it refuses
 */
export async function downloadModel(name: string, options: HubOptions = {}): Promise<string> {
  const signal = workSignal(options.signal);
  const { revision = "main" } = options;
  if (!isHubName(name)) throw new Error(`"${name}" is no name of a repository, such as "owner/name".`);
  if (!/^[\w][\w./-]*$/.test(revision) || revision.includes(".."))
    throw new Error(`"${revision}" is no revision: a branch, a tag or a commit was expected.`);
  if (isOffline()) return cachedModel(name, revision, "HF_HUB_OFFLINE is set");
  let listing: Listing;
  try {
    listing = await listModel(name, revision, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof HubError) throw error;
    return cachedModel(name, revision, `the hub cannot be reached (${reason(error)})`);
  }
  return fetchFiles(name, revision, listing, { ...options, ...(signal ? { signal } : {}) });
}

const reason = (error: unknown): string => {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error));
};

/** The folder of a model that is in the cache already, or an error that says what is missing. */
async function cachedModel(name: string, revision: string, why: string): Promise<string> {
  const folder = await snapshotOf(name, revision);
  const missing = folder ? await missingFiles(folder) : ["config.json", "the weights"];
  if (folder && missing.length === 0) return folder;
  const place = folder ?? snapshotFolder(name, revision);
  throw new Error(
    `The model "${name}" (${revision}) is not here, and ${why}. Missing: ${missing.join(", ")}. Looked for: a folder "${name}" with a config.json, and the hub's cache ${place}. Load it once with a network, copy its files into a folder and give its path, or set HF_HUB_CACHE to the cache that has it.`,
  );
}

async function listModel(name: string, revision: string, signal?: AbortSignal): Promise<Listing> {
  const { listFiles, modelInfo } = await import("@huggingface/hub");
  const fetch = hubFetch({ name, revision, ...(signal ? { signal } : {}) });
  const hubUrl = endpoint();
  const { sha } = await modelInfo({ name, revision, hubUrl, fetch, additionalFields: ["sha"] });
  if (!/^[0-9a-f]{40}$/.test(sha)) throw new HubError(`The hub gave no commit for "${name}" (${revision}).`);
  const files = new Map<string, HubFile>();
  for await (const entry of listFiles({ repo: name, revision: sha, hubUrl, fetch }))
    if (entry.type === "file")
      files.set(entry.path, {
        path: entry.path,
        size: entry.lfs?.size ?? entry.size,
        hash: entry.lfs
          ? { algorithm: "sha256", digest: entry.lfs.oid }
          : { algorithm: "git", digest: entry.oid ?? "" },
      });
  return { commit: sha, files };
}

const endpoint = (): string => (environment("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");

async function fetchFiles(
  name: string,
  revision: string,
  { commit, files }: Listing,
  { signal, onProgress }: HubOptions,
): Promise<string> {
  const repository = hubCache(name);
  const folder = joinPath(repository, "snapshots", commit);
  let chosen = chooseFiles(name, files);
  let done = 0;
  const total = (): number => chosen.reduce((sum, { size }) => sum + size, 0);
  const advance = (bytes: number): void => {
    done += bytes;
    const progress = { task: `downloading ${name}`, done, total: total() };
    reportProgress(progress);
    onProgress?.(progress);
  };
  const fetchOne = async (file: HubFile): Promise<void> => {
    const link = joinPath(folder, file.path);
    const blob = joinPath(repository, "blobs", blobName(file));
    const download = async (): Promise<void> => {
      if (await exists(blob)) return advance(file.size);
      const url = `${endpoint()}/${name}/resolve/${commit}/${encodeURIComponent(file.path)}`;
      const asked = { name, revision, ...(signal ? { signal } : {}) };
      await downloadFile({ ...asked, url, file, target: blob, onBytes: advance });
    };
    if (await exists(blob)) advance(file.size);
    else await withLock(`${blob}.lock`, download, signal);
    if (!(await exists(link))) await linkFile(blob, link);
  };
  await makeFolder(folder);
  for (let i = 0; i < chosen.length; i++) {
    const file = chosen[i]!;
    await fetchOne(file);
    // An index says which files come with it.
    if (file.path.endsWith(".index.json"))
      chosen = [...chosen, ...shardsOf(await readShardIndex(joinPath(folder, file.path)), files, name)];
  }
  if (revision !== commit) await writeFile(joinPath(repository, "refs", revision), commit);
  return folder;
}

function shardsOf(
  index: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, HubFile>,
  name: string,
): HubFile[] {
  return [...new Set(index.values())].map((path) => {
    const file = files.get(path);
    if (!file)
      throw new Error(`The repository "${name}" has no file "${path}", which its index of weights names.`);
    return file;
  });
}

/** The name of a file in `blobs`: the hash that the hub has for it. */
function blobName({ path, hash: { digest } }: HubFile): string {
  if (/^[0-9a-f]{40,64}$/.test(digest)) return digest;
  throw new HubError(`The hub gave no hash for "${path}", so it could not be checked.`);
}
