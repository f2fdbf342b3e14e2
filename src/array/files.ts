/**
 * Everything the engine asks of a file system. This is the only file below `src/` that touches Node for files: a page
 * in a browser replaces it by one with the same exports.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  realpathSync as nodeRealpathSync,
  openSync,
  readSync,
  statSync,
} from "node:fs";
import {
  access,
  copyFile,
  mkdir,
  readFile as nodeReadFile,
  realpath as nodeRealpath,
  stat as nodeStat,
  symlink as nodeSymlink,
  open,
  readdir,
  rename,
  rm,
} from "node:fs/promises";
import { homedir } from "node:os";
import {
  isAbsolute,
  join,
  basename as nodeBasename,
  dirname as nodeDirname,
  relative,
  resolve,
} from "node:path";
import { fileURLToPath } from "node:url";

/** One `read` or `write` call of the system moves at most about 2 GiB. */
const maxChunk = 1 << 30;

/** A file open for reading anywhere in it. */
export interface OpenFile {
  /** The path that it was opened by. */
  readonly path: string;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /**
   * Reads `length` bytes from `offset` on.
   *
   * @throws RangeError where the range is not inside the file, before anything is allocated.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What is known of a path. */
export interface FileStat {
  /** Bytes; for a folder what the system says. */
  readonly size: number;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Last change, in milliseconds since 1970. */
  readonly modified: number;
}

/** An error of the system as a sentence; the code stays on it. */
function fileError(error: unknown, action: string, path: string): Error {
  const code = (error as { code?: string }).code;
  const reasons: Record<string, string> = {
    ENOENT: "it does not exist",
    EACCES: "permission is denied",
    EPERM: "permission is denied",
    EISDIR: "it is a folder, not a file",
    ENOTDIR: "a part of the path is a file, not a folder",
    ENOSPC: "the disk is full",
    EMFILE: "too many files are open",
  };
  const reason = (code && reasons[code]) ?? (error instanceof Error ? error.message : String(error));
  return Object.assign(new Error(`Cannot ${action} ${path}: ${reason}.`, { cause: error }), { code });
}

/** Opens a file for reading ranges. Close it afterwards. */
export async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, "r").catch((error) => {
    throw fileError(error, "open", path);
  });
  try {
    const information = await handle.stat();
    if (information.isDirectory()) throw Object.assign(new Error("EISDIR"), { code: "EISDIR" });
    const size = information.size;
    return {
      path,
      size,
      async read(offset, length) {
        if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
          throw new RangeError(
            `Bytes ${offset} to ${offset + length} were asked of ${path}, which has ${size} bytes.`,
          );
        }
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const chunk = Math.min(maxChunk, length - done);
          const { bytesRead } = await handle.read(bytes, done, chunk, offset + done);
          if (bytesRead === 0) throw new Error(`${path} became shorter while it was read.`);
          done += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw fileError(error, "open", path);
  }
}

/** Calls `use` with the open file and closes it afterwards, whatever happens. */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** The whole file. */
export function readFile(path: string): Promise<Uint8Array> {
  return withFile(path, (file) => file.read(0, file.size));
}

/** `length` bytes of a file from `offset` on. */
export function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  return withFile(path, (file) => file.read(offset, length));
}

/** A file as UTF-8 text. A byte-order mark is dropped. */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${path} is not UTF-8 text.`);
  }
}

/** A file of JSON; an error names the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not valid JSON: ${(error as Error).message}.`);
  }
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Size and kind of a file or folder. */
export async function stat(path: string): Promise<FileStat> {
  const found = await nodeStat(path).catch((error) => {
    throw fileError(error, "look at", path);
  });
  return {
    size: found.size,
    isFile: found.isFile(),
    isDirectory: found.isDirectory(),
    modified: found.mtimeMs,
  };
}

/** Names in a folder, sorted. */
export async function list(path: string): Promise<string[]> {
  const names = await readdir(path).catch((error) => {
    throw fileError(error, "list", path);
  });
  return names.sort();
}

/** The path with every symbolic link followed. */
export async function realpath(path: string): Promise<string> {
  return nodeRealpath(path).catch((error) => {
    throw fileError(error, "follow", path);
  });
}

/** Makes a folder and those above it; nothing happens where it is there. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw fileError(error, "make the folder", path);
  });
}

/** Removes a file, or a folder with what is in it; nothing happens where it is not there. */
export async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error) => {
    throw fileError(error, "remove", path);
  });
}

/**
 * Adds pieces to the end of a file, which is made where it is not there; what was added stays where an error ends the work.
 *
 * @returns the bytes that the file has then
 */
export async function appendFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  onPiece?: (bytes: number) => void,
): Promise<number> {
  await makeFolder(nodeDirname(path));
  const handle = await open(path, "a").catch((error) => {
    throw fileError(error, "write", path);
  });
  try {
    for await (const piece of pieces) {
      await handle.appendFile(piece).catch((error) => {
        throw fileError(error, "write", path);
      });
      onPiece?.(piece.byteLength);
    }
    await handle.sync();
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

/** Gives a file another name; a file that has it is replaced. */
export async function moveFile(from: string, to: string): Promise<void> {
  await makeFolder(nodeDirname(to));
  await rename(from, to).catch((error) => {
    throw fileError(error, "rename", from);
  });
}

/** Milliseconds between two looks at a lock. */
const LOCK_PAUSE = 100;

/**
 * Calls `work` while no other process, and no other call in this one, holds the lock `path`. The lock of a process that
 * has ended is taken over.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  await makeFolder(nodeDirname(path));
  while (!(await takeLock(path))) {
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE));
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx");
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw fileError(error, "lock", path);
  }
  const [owner, { mtimeMs }] = await Promise.all([
    nodeReadFile(path, "utf8").catch(() => ""),
    nodeStat(path).catch(() => ({ mtimeMs: Date.now() })),
  ]);
  // A lock is empty for the moment in which it is made.
  const isOld = owner === "" ? Date.now() - mtimeMs > 10_000 : !isRunning(Number(owner));
  if (isOld) await rm(path, { force: true });
  return false;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Makes a relative symbolic link to a file, or a copy of it where links are not allowed. What is there is replaced. */
export async function linkFile(target: string, path: string): Promise<void> {
  await makeFolder(nodeDirname(path));
  await rm(path, { force: true });
  await nodeSymlink(relative(nodeDirname(path), target), path).catch(async (error: { code?: string }) => {
    if (error.code !== "EPERM" && error.code !== "ENOSYS") throw fileError(error, "link", path);
    await copyFile(target, path);
  });
}

let temporaryFiles = 0;

/**
 * Writes a file so that readers see the old one or the whole new one: it is written beside under another name, flushed,
 * and renamed. Where anything fails, nothing new is left. Folders above it are made. A symbolic link stays, and what it
 * points to is replaced.
 *
 * @param content Bytes, text, or pieces of bytes in their order.
 */
export async function writeFile(
  path: string,
  content: Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const target = await nodeRealpath(path).catch(() => path);
  await makeFolder(nodeDirname(target));
  const pid = globalThis.process?.pid ?? 0;
  const temporary = join(nodeDirname(target), `.${nodeBasename(target)}.${pid}-${temporaryFiles++}.part`);
  const pieces =
    typeof content === "string"
      ? [new TextEncoder().encode(content)]
      : ArrayBuffer.isView(content)
        ? [content]
        : content;
  try {
    const handle = await open(temporary, "wx");
    try {
      for await (const piece of pieces) {
        for (let done = 0; done < piece.byteLength; ) {
          const { bytesWritten } = await handle.write(
            piece,
            done,
            Math.min(maxChunk, piece.byteLength - done),
          );
          done += bytesWritten;
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw (error as { syscall?: string }).syscall ? fileError(error, "write", path) : error;
  }
}

/** Joins parts of a path. */
export function joinPath(...parts: string[]): string {
  return join(...parts);
}

/** The folder of a path. */
export function folderOf(path: string): string {
  return nodeDirname(path);
}

/** The last part of a path. */
export function fileName(path: string): string {
  return nodeBasename(path);
}

/** Whether a path begins at the root. */
export function isAbsolutePath(path: string): boolean {
  return isAbsolute(path);
}

/** The path from the root on, without looking at the disk. */
export function absolutePath(path: string): string {
  return resolve(path);
}

/** The user's own folder. */
export function homeFolder(): string {
  return homedir();
}

/** A setting of the process's environment; `undefined` where it is not set or empty. */
export function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name] || undefined;
}

/** The folder for what can be made again: `TSLENS_CACHE`, or `tslens` in the user's folder of caches. */
export function cacheFolder(): string {
  return (
    environment("TSLENS_CACHE") ?? join(environment("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "tslens")
  );
}

/** SHA-256 of bytes or UTF-8 text, in hexadecimal. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** SHA-256 of a file, in hexadecimal, read piece by piece. */
export function sha256OfFile(path: string): Promise<string> {
  return hashOfFile(path, "sha256");
}

/** The name that Git has for a file's content: SHA-1 of its size and bytes. */
export function gitHashOfFile(path: string): Promise<string> {
  return hashOfFile(path, "sha1", (size) => `blob ${size}\0`);
}

function hashOfFile(path: string, algorithm: string, before?: (size: number) => string): Promise<string> {
  return withFile(path, async (file) => {
    const hash = createHash(algorithm);
    if (before) hash.update(before(file.size));
    const piece = 1 << 22;
    for (let offset = 0; offset < file.size; offset += piece) {
      hash.update(await file.read(offset, Math.min(piece, file.size - offset)));
    }
    return hash.digest("hex");
  });
}

/**
 * Reads part of a file at once, for values that are asked for synchronously.
 *
 * @throws RangeError where the range is not inside the file.
 */
export function readRangeSync(path: string, offset: number, length: number): Uint8Array {
  const handle = openSync(path, "r");
  try {
    const { size } = fstatSync(handle);
    if (offset < 0 || length < 0 || offset + length > size)
      throw new RangeError(
        `Bytes ${offset} to ${offset + length} of ${path} were asked for, but it has ${size}.`,
      );
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = readSync(handle, bytes, done, Math.min(maxChunk, length - done), offset + done);
      if (read === 0) throw new Error(`${path} became shorter while it was read.`);
      done += read;
    }
    return bytes;
  } finally {
    closeSync(handle);
  }
}

/** The path with every symbolic link followed, at once; undefined where there is no such file. */
export function realpathSync(path: string): string | undefined {
  return existsSync(path) ? nodeRealpathSync(path) : undefined;
}

/** Bytes in a file, at once. */
export function fileSizeSync(path: string): number {
  try {
    const found = statSync(path);
    if (!found.isFile()) throw Object.assign(new Error("EISDIR"), { code: "EISDIR" });
    return found.size;
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** The folder of this package, in which the bundled models lie: the nearest one above this file with a package.json. */
export function packageFolder(): string {
  let folder = nodeDirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = nodeDirname(folder);
  return folder;
}
