/** Products of large matrices that are no part of a model's graph. */

import { contiguous, type Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import { Runtime } from "../runtime/plan.js";

let runtime: Runtime | undefined;

/** `a bᵀ` of `[m, k]` and `[n, k]`, by ONNX Runtime. */
export async function multiply(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<Tensor> {
  runtime ??= new Runtime({
    source: (name) => {
      throw new Error(`There is no parameter "${name}".`);
    },
  });
  const size = a.shape[1]!;
  const product = g.matmul(g.input("a", "float32", ["m", size]), g.input("b", "float32", ["n", size]), {
    transposeB: true,
  });
  const feed = (x: Tensor): { dtype: "float32"; shape: readonly number[]; data: Float32Array } => ({
    dtype: "float32",
    shape: x.shape,
    data: contiguous(x).data,
  });
  const run = await runtime
    .plan({ outputs: { product } })
    .run({ a: feed(a), b: feed(b) }, signal ? { signal } : {});
  return run.product as Tensor;
}
