/**
 * Reading zip archives entry by entry (PKWARE's APPNOTE.TXT 6.3). fflate inflates; this file finds the entries, so that
 * one array of a large archive is read alone, a size that lies allocates nothing, and damage is seen by the checksum.
 */
import { inflateSync } from "fflate";
import type { OpenFile } from "./files.js";

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly compressedSize: number;
  readonly size: number;
  readonly method: number;
  readonly crc: number;
  /** Where its local header stands in the archive. */
  readonly headerOffset: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
/** Deflate cannot shrink by more: a larger ratio in a header is a lie. */
const maxDeflateRatio = 1032;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the list of entries at the end of an archive. */
export async function readZipEntries(file: OpenFile): Promise<ZipEntry[]> {
  const tailLength = Math.min(file.size, 65535 + 22);
  const tail = view(await file.read(file.size - tailLength, tailLength));
  let at = tailLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== endSignature) at--;
  if (at < 0)
    throw new Error(`${file.path} is cut off or not a zip archive: the list at its end is missing.`);
  let count = tail.getUint16(at + 10, true);
  let size = tail.getUint32(at + 12, true);
  let offset = tail.getUint32(at + 16, true);
  if (at >= 20 && tail.getUint32(at - 20, true) === locatorSignature) {
    const end64 = Number(tail.getBigUint64(at - 12, true));
    const record = view(await file.read(end64, 56));
    if (record.getUint32(0, true) !== end64Signature)
      throw new Error(`The zip64 record of ${file.path} is damaged.`);
    count = Number(record.getBigUint64(32, true));
    size = Number(record.getBigUint64(40, true));
    offset = Number(record.getBigUint64(48, true));
  }
  const directory = await file.read(offset, size);
  const entries: ZipEntry[] = [];
  let position = 0;
  while (entries.length < count) {
    const { entry, length } = readEntry(directory, position, file.path);
    entries.push(entry);
    position += length;
  }
  return entries;
}

function readEntry(
  directory: Uint8Array,
  position: number,
  path: string,
): { entry: ZipEntry; length: number } {
  const damaged = (): Error => new Error(`The list of entries of ${path} is damaged.`);
  if (position + 46 > directory.length) throw damaged();
  const header = view(directory.subarray(position));
  if (header.getUint32(0, true) !== entrySignature) throw damaged();
  const flags = header.getUint16(8, true);
  const nameLength = header.getUint16(28, true);
  const extraLength = header.getUint16(30, true);
  const length = 46 + nameLength + extraLength + header.getUint16(32, true);
  if (position + length > directory.length) throw damaged();
  const name = new TextDecoder().decode(directory.subarray(position + 46, position + 46 + nameLength));
  if (flags & 1) throw new Error(`"${name}" in ${path} is encrypted.`);
  // Sizes that do not fit into 32 bits stand in the zip64 extra field, in this order and only where needed.
  const wide = zip64Values(
    view(directory.subarray(position + 46 + nameLength, position + 46 + nameLength + extraLength)),
  );
  const number = (value: number): number => {
    if (value !== 0xffffffff) return value;
    const next = wide.shift();
    if (next === undefined) throw damaged();
    return next;
  };
  const size = number(header.getUint32(24, true));
  const compressedSize = number(header.getUint32(20, true));
  const headerOffset = number(header.getUint32(42, true));
  const method = header.getUint16(10, true);
  return {
    entry: { name, compressedSize, size, method, crc: header.getUint32(16, true), headerOffset },
    length,
  };
}

function zip64Values(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      const values: number[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + length, extra.byteLength); i += 8) {
        values.push(Number(extra.getBigUint64(i, true)));
      }
      return values;
    }
    at += 4 + length;
  }
  return [];
}

/** Where the content of an entry begins in the archive. */
export async function zipDataOffset(file: OpenFile, entry: ZipEntry): Promise<number> {
  const local = view(await file.read(entry.headerOffset, 30));
  if (local.getUint32(0, true) !== localSignature)
    throw new Error(`"${entry.name}" in ${file.path} is not where the list says it is.`);
  const start = entry.headerOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + entry.compressedSize > file.size)
    throw new Error(`"${entry.name}" in ${file.path} is cut off: it would end behind the file's end.`);
  return start;
}

/** Reads one entry and checks it against its checksum. */
export async function readZipEntry(file: OpenFile, entry: ZipEntry): Promise<Uint8Array> {
  const where = `"${entry.name}" in ${file.path}`;
  const start = await zipDataOffset(file, entry);
  const packed = await file.read(start, entry.compressedSize);
  const bytes = unpack(packed, entry, where);
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc) {
    throw new Error(`${where} is damaged: its checksum or length does not agree with its content.`);
  }
  return bytes;
}

function unpack(packed: Uint8Array, entry: ZipEntry, where: string): Uint8Array {
  if (entry.method === 0) return packed;
  if (entry.method !== 8) {
    throw new Error(
      `${where} is compressed by method ${entry.method}; only stored (0) and deflated (8) are read.`,
    );
  }
  if (entry.size > packed.length * maxDeflateRatio) {
    throw new Error(`${where} is damaged: ${packed.length} compressed bytes cannot become ${entry.size}.`);
  }
  try {
    return inflateSync(packed, { out: new Uint8Array(entry.size) });
  } catch (error) {
    throw new Error(`${where} is damaged: ${(error as Error).message}.`);
  }
}

let crcTable: Int32Array | undefined;

/** CRC-32 of ISO 3309, as zip has it. */
function crc32(bytes: Uint8Array): number {
  crcTable ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
