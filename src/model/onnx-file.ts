/** Opens ONNX files: their graphs, and where their weights are. */

import {
  absolutePath,
  bytesPerElement,
  fileName,
  fileSizeSync,
  folderOf,
  joinPath,
  readFile,
  readRangeSync,
  realpath,
  realpathSync,
} from "../array/index.js";
import type { ParameterSource } from "../graph/index.js";
import * as g from "../graph/index.js";
import { describeOutputs } from "../runtime/ort.js";
import type { ParameterStore } from "../runtime/plan.js";

/** Where the weights of an ONNX file are, and their bytes. */
export interface OnnxWeights extends ParameterStore {
  readonly folder: string;
  /** The bytes of a weight, read from where they lie. */
  bytes(name: string): Uint8Array;
}

/** A message of protocol buffers holds no more bytes. */
const LARGEST_FILE = 2 ** 31;

/**
 * Opens an ONNX file. Its weights stay on the disk, in it or beside it, and are mapped from there.
 *
 * @throws if it is not readable or not a model that can be run, in a sentence that names the file
 */
export async function openOnnx(path: string): Promise<{ imported: g.ImportedGraph; weights: OnnxWeights }> {
  const file = await realpath(path);
  const beside = besideFiles(absolutePath(path), file);
  const imported = await readGraph(path, file, beside);
  const weights = new FileWeights(imported, file, beside);
  // The bytes of the whole file are let go.
  const described = [...imported.weights].map(([name, { bytes: _, ...rest }]) => [name, rest] as const);
  return { imported: { ...imported, weights: new Map(described) }, weights };
}

async function readGraph(path: string, file: string, beside: BesideFiles): Promise<g.ImportedGraph> {
  const size = fileSizeSync(file);
  if (size >= LARGEST_FILE)
    throw new Error(
      `${path} has ${size} bytes; an ONNX file holds less than 2 GiB, its weights may lie beside it.`,
    );
  const bytes = await readFile(file);
  try {
    return await g.importOnnx(bytes, {
      sizeBeside: beside.size,
      readBeside: beside.read,
      describe: describeOutputs,
    });
  } catch (error) {
    throw new Error(`${path} cannot be loaded. ${(error as Error).message}`, { cause: error });
  }
}

/** The files with weights beside a model. */
interface BesideFiles {
  readonly size: (location: string) => number;
  readonly path: (location: string) => string;
  readonly read: (location: string, offset: number, byteLength: number) => Uint8Array;
}

/** Locations are read beside the path that was given; the hub's cache is made of links, and each is followed. */
function besideFiles(given: string, file: string): BesideFiles {
  const found = new Map<string, { path: string; size: number }>();
  const find = (location: string): { path: string; size: number } => {
    const known = found.get(location);
    if (known) return known;
    const places = [folderOf(given), folderOf(file)].map((folder) => joinPath(folder, location));
    const path = places.map((place) => realpathSync(place)).find((place) => place !== undefined);
    if (path === undefined) throw new Error(`Its weights are in ${location}, which is not beside it.`);
    const entry = { path, size: fileSizeSync(path) };
    found.set(location, entry);
    return entry;
  };
  return {
    size: (location) => find(location).size,
    path: (location) => find(location).path,
    read: (location, offset, byteLength) => readRangeSync(find(location).path, offset, byteLength),
  };
}

class FileWeights implements OnnxWeights {
  readonly folder: string;
  private readonly places = new Map<string, { path: string; offset: number; byteLength: number }>();
  /** Weights that are too small, or stand too oddly, to be mapped. */
  private readonly held = new Map<string, Uint8Array>();

  constructor(imported: g.ImportedGraph, file: string, beside: BesideFiles) {
    for (const { name, dtype, source, bytes } of imported.weights.values()) {
      if (source.kind === "given") this.held.set(name, source.bytes);
      else if (source.kind === "beside")
        this.places.set(name, { ...source, path: beside.path(source.location) });
      // Protocol buffers align nothing: what is not at a whole element cannot be mapped as one.
      else if (source.offset % bytesPerElement(dtype) === 0 && source.byteLength > g.SMALL_TENSOR)
        this.places.set(name, { ...source, path: file });
      else this.held.set(name, bytes!.slice());
    }
    this.folder = commonFolder([file, ...[...this.places.values()].map(({ path }) => path)]);
  }

  source(name: string): ParameterSource {
    const place = this.places.get(name);
    if (!place) return { kind: "inline", bytes: this.held.get(name)! };
    const { path, offset, byteLength } = place;
    const location = path.slice(this.folder.length).replace(/^[/\\]+/, "");
    return { kind: "file", location, offset, byteLength };
  }

  bytes(name: string): Uint8Array {
    const place = this.places.get(name);
    return place ? readRangeSync(place.path, place.offset, place.byteLength) : this.held.get(name)!;
  }
}

/** The deepest folder that all files are in. */
function commonFolder(files: readonly string[]): string {
  let folder = folderOf(files[0]!);
  while (!files.every((file) => folderOf(file) === folder || file.startsWith(joinPath(folder, "/")))) {
    const above = folderOf(folder);
    if (above === folder) break;
    folder = above;
  }
  return folder;
}

/** The name that a model is called by: its file's, or its folder's for the usual `model.onnx`. */
export function onnxName(path: string): string {
  const name = fileName(path).replace(/\.onnx$/, "");
  return name === "model" ? fileName(folderOf(absolutePath(path))) : name;
}
