/** ONNX Runtime: the only file that calls it. A browser build replaces it by one over onnxruntime-web. */

import { availableParallelism, totalmem } from "node:os";
import ndarray from "ndarray";
import * as ort from "onnxruntime-node";
import { type DType, dtypes, float16ToFloat32, type TypedArray } from "../array/dtype.js";
import { type AnyTensor, sizeOf } from "../array/tensor.js";

/** A tensor to feed: row-major elements and their shape. */
export interface Feed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** How a model is made ready. */
export interface SessionOptions {
  /** The folder in which external weights lie. */
  readonly weightsFolder?: string;
  /**
   * Packs weights for faster products: costs half a second and a copy of the weights for each GB of them. Without it
   * weights stay where they are, mapped from their file and shared by all sessions.
   */
  readonly prepack: boolean;
  /**
   * Leaves what depends on weights alone to be computed in each run, in memory that is given back, instead of once for
   * good: for weights that are stored in fewer bits than they are used in.
   */
  readonly keepWeights?: boolean;
}

/** A model that is ready to run. */
export interface Session {
  /** Runs the model and gives its outputs by name; those in `into` are written to the memory given there. */
  run(
    feeds: Readonly<Record<string, Feed>>,
    into?: Readonly<Record<string, Feed>>,
  ): Promise<Record<string, AnyTensor>>;
  /** Frees what the session holds. */
  release(): Promise<void>;
}

const ortTypes: Partial<Record<DType, ort.Tensor.Type>> = {
  float32: "float32",
  float64: "float64",
  int64: "int64",
  int32: "int32",
  uint8: "uint8",
  int8: "int8",
  uint16: "uint16",
  int16: "int16",
  uint32: "uint32",
  uint64: "uint64",
  float16: "float16",
  bool: "bool",
};

/** The memory of this machine in bytes, which budgets are parts of. */
export const machineMemory = (): number => totalmem();

/** The optimisers of ONNX Runtime that would keep a second copy of weights, or keep one longer than its use. */
const growing = "ConstantFolding;CommonSubexpressionElimination";

/** Makes a model ready. */
export async function createSession(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const session: Record<string, string> = {};
  if (!options.prepack) session.disable_prepacking = "1";
  if (options.weightsFolder !== undefined)
    session.model_external_initializers_file_folder_path = options.weightsFolder;
  const inner = await open(model, {
    intraOpNumThreads: availableParallelism(),
    executionMode: "sequential",
    // The pattern of a run's memory is kept as one block beside what the run before has used.
    enableMemPattern: !options.keepWeights,
    extra: options.keepWeights
      ? { session, optimization: { disable_specified_optimizers: growing } }
      : { session },
  });
  const run = async (
    feeds: ort.InferenceSession.FeedsType,
    fetches?: ort.InferenceSession.FetchesType,
  ): Promise<ort.InferenceSession.ReturnType> => {
    try {
      return await (fetches ? inner.run(feeds, fetches, quiet) : inner.run(feeds, quiet));
    } catch (error) {
      throw ortError("could not run the graph", error);
    }
  };
  return {
    run: async (feeds, into) => {
      if (!into) return fromOrt(await run(toOrt(feeds)));
      const memory = toOrt(into);
      const fetches = inner.outputNames.map((name) => [name, memory[name] ?? null]);
      const outputs = await run(toOrt(feeds), Object.fromEntries(fetches));
      // ONNX Runtime has written to the given memory, and gives a copy all the same.
      for (const name of Object.keys(memory)) free((outputs[name] as ort.Tensor).data as Float32Array);
      return fromOrt({ ...outputs, ...memory });
    },
    release: () => inner.release(),
  };
}

/** What goes wrong is thrown, and not written to the console as well. */
const quiet = { logSeverityLevel: 4 } as const;

async function open(
  model: Uint8Array,
  options: ort.InferenceSession.SessionOptions,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model, { ...options, ...quiet });
  } catch (error) {
    throw ortError("refuses the graph", error);
  }
}

/** What ONNX Runtime says, as a sentence; places in its own source are left out. */
function ortError(what: string, error: unknown): Error {
  const said = (error instanceof Error ? error.message : String(error))
    .replaceAll(/\/onnxruntime_src\/\S+ /g, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return new Error(`ONNX Runtime ${what}: ${said}${/[.!?]$/.test(said) ? "" : "."}`, { cause: error });
}

/** What ONNX Runtime knows of an output before it runs: sizes that it does not know are missing. */
export interface OutputType {
  readonly dtype: DType;
  readonly shape: readonly (number | undefined)[];
}

/** The types of a model's outputs, without running anything; those that are no tensors of numbers are left out. */
export async function describeOutputs(model: Uint8Array): Promise<Map<string, OutputType>> {
  const session = await open(model, { graphOptimizationLevel: "disabled", intraOpNumThreads: 1 });
  const types = new Map<string, OutputType>();
  for (const output of session.outputMetadata) {
    if (!output.isTensor) continue;
    const dtype = output.type as DType;
    if (!dtypes.includes(dtype)) continue;
    const shape = output.shape.map((size) => (typeof size === "number" && size >= 0 ? size : undefined));
    types.set(output.name, { dtype, shape });
  }
  await session.release();
  return types;
}

/**
 * Gives memory back at once. Large arrays would otherwise stay until the next full collection, which V8 does not
 * hurry to make, since its own heap is small: a run would take twice the memory of its results.
 */
function free({ buffer }: Float32Array): void {
  if ("transfer" in ArrayBuffer.prototype)
    (buffer as unknown as { transfer(length: number): void }).transfer(0);
  else nowhere.postMessage(null, [buffer as ArrayBuffer]); // before Node 22: what is sent to a closed port is dropped
}

const { port1: nowhere } = new MessageChannel();
nowhere.close();

function toOrt(feeds: Readonly<Record<string, Feed>>): Record<string, ort.Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]) => {
      const type = ortTypes[dtype];
      if (!type)
        throw new Error(`The input "${name}" came as ${dtype}, which cannot be fed; convert it to float32.`);
      return [name, new ort.Tensor(type, data as never, shape)];
    }),
  );
}

/**
 * 64-bit integers become 32-bit ones, which JavaScript reads as numbers, where all of them fit, as token ids and indices
 * do; 16-bit floats become 32-bit ones.
 */
function fromOrt(outputs: ort.InferenceSession.OnnxValueMapType): Record<string, AnyTensor> {
  const tensors: Record<string, AnyTensor> = {};
  for (const [name, value] of Object.entries(outputs)) {
    const { data, dims, type } = value as ort.Tensor;
    const numbers = readable(data as TypedArray, type);
    tensors[name] = ndarray(numbers.subarray(0, sizeOf(dims)) as never, [...dims]) as AnyTensor;
  }
  return tensors;
}

function readable(data: TypedArray, type: ort.Tensor.Type): TypedArray {
  if (type === "float16") return float16ToFloat32(new Uint16Array(data.buffer, data.byteOffset, data.length));
  if (!(data instanceof BigInt64Array)) return data;
  const narrow = Int32Array.from(data, Number);
  return narrow.every((number, i) => BigInt(number) === data[i]) ? narrow : data;
}
