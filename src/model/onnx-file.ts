/** Opens ONNX files: their graphs, and where their weights are. */

import {
  absolutePath,
  bytesPerElement,
  fileName,
  fileSizeSync,
  folderOf,
  joinPath,
  type LazyTensor,
  readFile,
  readRangeSync,
  realpath,
  realpathSync,
  viewBytes,
} from "../array/index.js";
import type { ParameterSource } from "../graph/index.js";
import * as g from "../graph/index.js";
import { describeOutputs } from "../runtime/ort.js";
import type { ParameterStore } from "../runtime/plan.js";
import { derivedParameters } from "./derived.js";

/** Where the weights of an ONNX file are, and their bytes. */
export interface OnnxWeights extends ParameterStore {
  readonly folder: string;
  /** The bytes of a weight, read from where they lie. */
  bytes(name: string): Uint8Array;
}

/** A message of protocol buffers holds no more bytes. */
const LARGEST_FILE = 2 ** 31;

/**
 * Opens an ONNX file. Its weights stay on the disk, in it or beside it, and are mapped from there. Weights inside of a
 * large file seldom begin where they can be mapped: those are copied once to the cache folder (`TSLENS_CACHE`).
 *
 * @throws if it is not readable or not a model that can be run, in a sentence that names the file
 */
export async function openOnnx(path: string): Promise<{ imported: g.ImportedGraph; weights: OnnxWeights }> {
  const file = await realpath(path);
  const beside = besideFiles(absolutePath(path), file);
  const imported = await readGraph(path, file, beside);
  const places = placesOf(imported, file, beside, await aligned(imported, file));
  const weights = new FileWeights(places, file);
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

/** Where a weight can be mapped from, or its bytes, which are held. */
type Place = { readonly path: string; readonly offset: number; readonly byteLength: number } | Uint8Array;

function placesOf(
  imported: g.ImportedGraph,
  file: string,
  beside: BesideFiles,
  aligned: ReadonlyMap<string, Place>,
): Map<string, Place> {
  const places = new Map(aligned);
  for (const tensor of imported.weights.values()) {
    const { name, source, bytes } = tensor;
    if (aligned.has(name)) continue;
    if (source.kind === "given") places.set(name, source.bytes);
    else if (source.kind === "beside") places.set(name, { ...source, path: beside.path(source.location) });
    else if (isOdd(tensor) || source.byteLength <= g.SMALL_TENSOR) places.set(name, bytes!.slice());
    else places.set(name, { ...source, path: file });
  }
  return places;
}

/** Protocol buffers align nothing: what does not begin at a whole element of the file cannot be mapped as one. */
const isOdd = ({ source, dtype }: g.StoredTensor): boolean =>
  source.kind === "inside" &&
  source.byteLength > g.SMALL_TENSOR &&
  source.offset % bytesPerElement(dtype) !== 0;

/** Of more bytes than this that cannot be mapped, a copy that can be is kept in the cache folder. */
const MOST_HELD = 2 ** 24;

/** Weights that stand oddly in a large file, mapped from a copy, which is made once. */
async function aligned(imported: g.ImportedGraph, file: string): Promise<Map<string, Place>> {
  const odd = [...imported.weights.values()].filter(isOdd);
  const total = odd.reduce((sum, { bytes }) => sum + bytes!.byteLength, 0);
  if (total <= MOST_HELD) return new Map();
  const tensors = odd.map(({ name, dtype, shape, bytes }): [string, LazyTensor] => [
    name,
    { dtype, shape, read: async () => ({ dtype, shape, data: viewBytes(bytes!, dtype) }) },
  ]);
  const copy = await derivedParameters([file], { name: "aligned ONNX weights", tensors: new Map(tensors) });
  return new Map(
    odd.map(({ name }) => {
      const place = copy.source(name) as Extract<ParameterSource, { kind: "file" }>;
      return [name, { ...place, path: joinPath(copy.folder!, place.location) }];
    }),
  );
}

class FileWeights implements OnnxWeights {
  readonly folder: string;

  constructor(
    private readonly places: ReadonlyMap<string, Place>,
    file: string,
  ) {
    const paths = [...places.values()].flatMap((place) => ("path" in place ? [place.path] : []));
    this.folder = commonFolder([file, ...paths]);
  }

  source(name: string): ParameterSource {
    const place = this.places.get(name)!;
    if (!("path" in place)) return { kind: "inline", bytes: place };
    const { path, offset, byteLength } = place;
    const location = path.slice(this.folder.length).replace(/^[/\\]+/, "");
    return { kind: "file", location, offset, byteLength };
  }

  bytes(name: string): Uint8Array {
    const place = this.places.get(name)!;
    return "path" in place ? readRangeSync(place.path, place.offset, place.byteLength) : place;
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
