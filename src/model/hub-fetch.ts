/** Requests to the hub: who is told the token, what is tried again, and what its refusals mean. */

import { appendFile, exists, gitHashOfFile, moveFile, remove, sha256OfFile, stat } from "../array/index.js";
import { hubToken } from "./hub-cache.js";
import type { HubFile } from "./hub-files.js";

/** What the hub refused, or gave that it should not. */
export class HubError extends Error {}

/** Which model is asked for, for messages. */
interface Asked {
  readonly name: string;
  readonly revision: string;
  readonly signal?: AbortSignal;
}

/** Attempts in which nothing comes, before the work ends. */
const ATTEMPTS = 5;
/** The longest wait that a server may ask for, in seconds. */
const LONGEST_WAIT = 120;
const REDIRECTS = 8;

/** A `fetch` for the hub's interface: with the token, and again where the server is busy. */
export function hubFetch(asked: Asked): typeof fetch {
  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const response = await attempts(asked, () => request(url, new Headers(init?.headers), asked));
    await refuseErrors(response, asked);
    return response;
  };
}

/** One request with its redirections; the token goes to the hub alone. */
async function request(url: string, headers: Headers, { signal }: Asked): Promise<Response> {
  const token = await hubToken();
  const { origin } = new URL(url);
  let at = url;
  for (let i = 0; i < REDIRECTS; i++) {
    const own = new Headers(headers);
    own.delete("authorization");
    if (token && new URL(at).origin === origin) own.set("authorization", `Bearer ${token}`);
    const response = await fetch(at, { headers: own, redirect: "manual", ...(signal ? { signal } : {}) });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    at = new URL(location, at).href;
    if (!/^https?:/.test(at)) throw new HubError(`The hub sent us to ${at}, which is no web address.`);
  }
  throw new HubError(`The hub sent us from one address to another ${REDIRECTS} times.`);
}

/** Asks again where the server is busy, after the time that it names. */
async function attempts(asked: Asked, ask: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await ask();
    const isBusy = response.status === 429 || response.status >= 500;
    if (!isBusy || attempt === ATTEMPTS) return response;
    await response.body?.cancel();
    await pause(waitOf(response, attempt), asked.signal);
  }
}

/** Seconds to wait: what the server asks for, or longer with each attempt. */
function waitOf(response: Response, attempt: number): number {
  const asked = response.headers.get("retry-after");
  if (asked === null) return 0.25 * 2 ** attempt;
  const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000;
  if (Number.isFinite(seconds) && seconds <= LONGEST_WAIT) return Math.max(0, seconds);
  throw new HubError(`The hub is busy and asks to come again after ${asked} (seconds or date); try later.`);
}

function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

async function refuseErrors(response: Response, { name, revision }: Asked): Promise<void> {
  if (response.ok || response.status === 416) return;
  const { status } = response;
  const code = response.headers.get("x-error-code");
  await response.body?.cancel();
  const hasToken = (await hubToken()) !== undefined;
  const page = `${new URL(response.url || "https://huggingface.co").origin}/${name}`;
  if (code === "GatedRepo" || status === 403)
    throw new HubError(
      hasToken
        ? `The hub does not let your token read "${name}": accept its conditions at ${page}, or use the token of an account that has.`
        : `The hub lets only registered users read "${name}": accept its conditions at ${page}, and set HF_TOKEN.`,
    );
  if (status === 401)
    throw new HubError(
      hasToken
        ? `The hub does not accept the token (HF_TOKEN, or the file of "hf auth login") for "${name}", or there is no such model.`
        : `There is no public model "${name}" on the hub: the name is wrong, or it is private and needs HF_TOKEN.`,
    );
  if (code === "RevisionNotFound")
    throw new HubError(`The model "${name}" has no revision "${revision}" (branch, tag or commit).`);
  if (status === 404)
    throw new HubError(`There is no model "${name}" with the revision "${revision}" on the hub.`);
  if (status === 429)
    throw new HubError(`The hub is busy (429) and stayed so; try "${name}" later, or set HF_TOKEN.`);
  throw new HubError(`The hub answered ${status} for "${name}"; try later.`);
}

/** What is downloaded, and where to. */
interface Download extends Asked {
  readonly url: string;
  readonly file: HubFile;
  /** The file that is there once all of it came and was checked. */
  readonly target: string;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Downloads a file: what came before is continued, an interrupted transfer is resumed, and what came is checked by size
 * and hash before it gets its name.
 */
export async function downloadFile(download: Download): Promise<void> {
  const { file, target, onBytes } = download;
  const part = `${target}.incomplete`;
  const before = (await exists(part)) ? (await stat(part)).size : 0;
  if (before > file.size) await remove(part);
  else onBytes(before);
  let restarted = false;
  for (;;) {
    await receive(download, part);
    if (await isWhole(part, file)) break;
    await remove(part);
    onBytes(-file.size);
    if (restarted)
      throw new HubError(
        `"${file.path}" of "${download.name}" came twice with other content than the hub says it has; try later.`,
      );
    restarted = true;
  }
  await moveFile(part, target);
}

async function isWhole(part: string, { size, hash }: HubFile): Promise<boolean> {
  if ((await stat(part)).size !== size) return false;
  const found = hash.algorithm === "sha256" ? await sha256OfFile(part) : await gitHashOfFile(part);
  return found === hash.digest;
}

/** Receives what is missing of a file, in as many requests as it takes while something comes. */
async function receive(download: Download, part: string): Promise<void> {
  const { file, url, signal, onBytes, name } = download;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const have = (await exists(part)) ? (await stat(part)).size : 0;
    if (have >= file.size && have > 0) return;
    let came = 0;
    try {
      const headers = new Headers({ "accept-encoding": "identity" });
      if (have > 0) headers.set("range", `bytes=${have}-`);
      const response = await attempts(download, () => request(url, headers, download));
      await refuseErrors(response, download);
      if (have > 0 && !continuesAt(response, have)) {
        // The server begins anew, or has another file.
        await response.body?.cancel();
        await remove(part);
        onBytes(-have);
        if (++failures >= ATTEMPTS)
          throw new HubError(`The hub does not continue "${file.path}" of "${name}".`);
        continue;
      }
      await appendFile(part, limited(response, file.size - have, file), (bytes) => {
        came += bytes;
        onBytes(bytes);
      });
      if (file.size === 0) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HubError || (error as { code?: string }).code) throw error;
      failures = came > 0 ? 0 : failures + 1;
      if (failures >= ATTEMPTS)
        throw new Error(
          `The transfer of "${file.path}" of "${name}" was interrupted ${ATTEMPTS} times; what came is kept, and continued the next time.`,
          { cause: error },
        );
      await pause(0.1 * 2 ** failures, signal);
    }
  }
}

const continuesAt = (response: Response, have: number): boolean =>
  response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`) === true;

/** The pieces of a response, of which there may be no more than the file has. */
async function* limited(response: Response, most: number, file: HubFile): AsyncGenerator<Uint8Array> {
  let came = 0;
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    came += piece.byteLength;
    if (came > most)
      throw new HubError(`More came of "${file.path}" than the ${file.size} bytes that the hub says it has.`);
    yield piece;
  }
}
