/** Matrices of low rank, kept as the two factors that they are the product of. */

import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from "ml-matrix";
import {
  broadcastTo,
  contiguous,
  displaySymbol,
  inspectSymbol,
  shapeText,
  sizeOf,
  type Tensor,
  tensor,
} from "../array/index.js";

/** A singular value decomposition `U diag(S) Vᵀ`. */
export interface Svd {
  /** The left singular vectors as columns, `[…, m, rank]`. */
  readonly U: Tensor;
  /** The singular values, largest first, `[…, rank]`. */
  readonly S: Tensor;
  /** The right singular vectors as columns, `[…, n, rank]`. TransformerLens calls this matrix `Vh`. */
  readonly V: Tensor;
}

/** Complex numbers. */
export interface ComplexTensor {
  readonly real: Tensor;
  readonly imaginary: Tensor;
}

/**
 * The product `A B` of `A [..., m, r]` and `B [..., r, n]`, never formed: what is asked of it is computed from the
 * factors, in time and memory of their size. Leading axes, such as layer and head, are many matrices at once.
 *
 * @example
 * ```ts
 * const ov = model.weights.get("OV"); // [layer, head, dModel, dModel]
 * ov.at(0, 3).svd().S; // the dHead singular values of one head
 * ```
 */
export class FactoredMatrix {
  /** The left factor, `[…, m, r]`. */
  readonly A: Tensor;
  /** The right factor, `[…, r, n]`. */
  readonly B: Tensor;
  /** The shape of the product, `[…, m, n]`. */
  readonly shape: readonly number[];

  /**
   * @param a `[..., m, r]`
   * @param b `[..., r, n]`; leading axes broadcast
   * @throws RangeError where the inner sizes differ, or the leading axes do not fit
   */
  constructor(a: Tensor, b: Tensor) {
    if (a.shape.length < 2 || b.shape.length < 2 || a.shape.at(-1) !== b.shape.at(-2))
      throw new RangeError(
        `A factored matrix needs factors [..., m, r] and [..., r, n]; ${shapeText(a.shape)} and ${shapeText(b.shape)} came.`,
      );
    const leading = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
    this.A = contiguous(broadcastTo(a, [...leading, ...a.shape.slice(-2)]));
    this.B = contiguous(broadcastTo(b, [...leading, ...b.shape.slice(-2)]));
    this.shape = [...leading, a.shape.at(-2)!, b.shape.at(-1)!];
  }

  /** The inner size `r`: the rank is at most this. */
  get innerSize(): number {
    return this.A.shape.at(-1)!;
  }

  /** The product as a plain tensor, `[…, m, n]`. */
  get AB(): Tensor {
    return product(this.A, this.B);
  }

  /** With its last two axes exchanged: `Bᵀ Aᵀ`. */
  get T(): FactoredMatrix {
    return new FactoredMatrix(swapped(this.B), swapped(this.A));
  }

  /** The matrix, or matrices, at these indices of the leading axes; negative ones count from the end. */
  at(...indices: number[]): FactoredMatrix {
    const pick = (x: Tensor): Tensor => {
      if (indices.length > x.shape.length - 2)
        throw new RangeError(
          `at(${indices.join(", ")}): ${shapeText(this.shape)} has only ${x.shape.length - 2} leading axes.`,
        );
      const places = indices.map((index, axis) => {
        const at = index < 0 ? index + x.shape[axis]! : index;
        if (Number.isInteger(index) && at >= 0 && at < x.shape[axis]!) return at;
        throw new RangeError(`Index ${index} is outside axis ${axis} of the shape ${shapeText(this.shape)}.`);
      });
      return x.pick(...places, ...x.shape.slice(indices.length).map(() => null)) as Tensor;
    };
    return new FactoredMatrix(pick(this.A), pick(this.B));
  }

  /** `A B x`: a plain tensor for a vector `[n]`, another factored matrix for a matrix `[..., n, k]` or a factored one. */
  matmul(x: FactoredMatrix | Tensor): FactoredMatrix | Tensor {
    if (x instanceof FactoredMatrix) {
      const middle = product(this.B, x.A);
      return this.innerSize <= x.innerSize
        ? new FactoredMatrix(this.A, product(middle, x.B))
        : new FactoredMatrix(product(this.A, middle), x.B);
    }
    if (x.shape.length > 1) return new FactoredMatrix(this.A, product(this.B, x));
    const column = product(this.A, product(this.B, tensor(contiguous(x).data, [x.shape[0]!, 1])));
    return tensor(column.data, column.shape.slice(0, -1));
  }

  /** `x A B` for a vector `[m]` or a matrix `[..., k, m]`. */
  leftMatmul(x: Tensor): FactoredMatrix | Tensor {
    if (x.shape.length > 1) return new FactoredMatrix(product(x, this.A), this.B);
    const row = product(product(tensor(contiguous(x).data, [1, x.shape[0]!]), this.A), this.B);
    return tensor(row.data, [...row.shape.slice(0, -2), row.shape.at(-1)!]);
  }

  /** The Frobenius norm of each matrix, `[...]`: the root of `Σ (AᵀA) ∘ (BBᵀ)`. */
  norm(): Tensor {
    return this.reduced([], (a, b) => {
      const left = a.transpose().mmul(a);
      const right = b.mmul(b.transpose());
      return [Math.sqrt(Math.max(0, left.mul(right).sum()))];
    });
  }

  /** The singular value decomposition of each matrix, by those of the factors; `rank = min(m, r, n)`. */
  svd(): Svd {
    const [m, n] = this.shape.slice(-2) as [number, number];
    const rank = Math.min(m, n, this.innerSize);
    const leading = this.shape.slice(0, -2);
    const count = sizeOf(leading);
    const U = new Float32Array(count * m * rank);
    const S = new Float32Array(count * rank);
    const V = new Float32Array(count * n * rank);
    this.each((a, b, i) => {
      const left = decompose(a);
      const right = decompose(b);
      const middle = Matrix.diag(left.s).mmul(left.v.transpose()).mmul(right.u).mmul(Matrix.diag(right.s));
      const inner = decompose(middle);
      U.set(flat(left.u.mmul(inner.u), rank), i * m * rank);
      V.set(flat(right.v.mmul(inner.v), rank), i * n * rank);
      S.set(inner.s.slice(0, rank), i * rank);
    });
    return {
      U: tensor(U, [...leading, m, rank]),
      S: tensor(S, [...leading, rank]),
      V: tensor(V, [...leading, n, rank]),
    };
  }

  /**
   * The eigenvalues of each matrix that can differ from zero, `[…, r]`, largest magnitude first: those of `B A`, which
   * has the same ones.
   *
   * @throws RangeError where the matrices are not square
   */
  eigenvalues(): ComplexTensor {
    const [m, n] = this.shape.slice(-2) as [number, number];
    if (m !== n) throw new RangeError(`Only square matrices have eigenvalues; these are ${m} × ${n}.`);
    const size = this.innerSize;
    const leading = this.shape.slice(0, -2);
    const real = new Float32Array(sizeOf(leading) * size);
    const imaginary = new Float32Array(real.length);
    this.each((a, b, i) => {
      const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(b.mmul(a));
      realEigenvalues
        .map((re, j) => ({ re, im: imaginaryEigenvalues[j]! }))
        .sort((x, y) => Math.hypot(y.re, y.im) - Math.hypot(x.re, x.im) || y.im - x.im)
        .forEach(({ re, im }, j) => {
          real[i * size + j] = re;
          imaginary[i * size + j] = im;
        });
    });
    return {
      real: tensor(real, [...leading, size]),
      imaginary: tensor(imaginary, [...leading, size]),
    };
  }

  /**
   * `Σ Re(λ) / Σ |λ|` of each matrix, `[...]`, between −1 and 1: near 1 where every direction is mapped to itself, as in
   * heads that copy (Elhage et al. 2021).
   */
  eigenvalueScore(): Tensor {
    const { real, imaginary } = this.eigenvalues();
    const size = this.innerSize;
    const scores = new Float32Array(real.data.length / size);
    for (let i = 0; i < scores.length; i++) {
      let sum = 0;
      let magnitude = 0;
      for (let j = i * size; j < (i + 1) * size; j++) {
        sum += real.data[j]!;
        magnitude += Math.hypot(real.data[j]!, imaginary.data[j]!);
      }
      scores[i] = magnitude === 0 ? 0 : sum / magnitude;
    }
    return tensor(scores, this.shape.slice(0, -2));
  }

  /** The first `size` rows and columns of the product, `[..., size, size]`; 3 by default. */
  getCorner(size = 3): Tensor {
    const [m, n] = this.shape.slice(-2) as [number, number];
    const rank = this.shape.length;
    const rows = this.A.hi(...this.A.shape.map((length, i) => (i === rank - 2 ? Math.min(size, m) : length)));
    const columns = this.B.hi(
      ...this.B.shape.map((length, i) => (i === rank - 1 ? Math.min(size, n) : length)),
    );
    return product(rows as Tensor, columns as Tensor);
  }

  /** A line of text: shape and inner size. */
  toString(): string {
    return `FactoredMatrix ${shapeText(this.shape)}, inner size ${this.innerSize}`;
  }

  /** What consoles show. */
  [inspectSymbol](): string {
    return this.toString();
  }

  /** What notebooks show. */
  [displaySymbol](): Record<string, string> {
    return { "text/plain": this.toString() };
  }

  private each(use: (a: Matrix, b: Matrix, index: number) => void): void {
    const count = sizeOf(this.shape.slice(0, -2));
    for (let i = 0; i < count; i++) use(matrixAt(this.A, i), matrixAt(this.B, i), i);
  }

  private reduced(shape: readonly number[], of: (a: Matrix, b: Matrix) => readonly number[]): Tensor {
    const leading = this.shape.slice(0, -2);
    const values = new Float32Array(sizeOf([...leading, ...shape]));
    this.each((a, b, i) => {
      values.set(of(a, b), i * sizeOf(shape));
    });
    return tensor(values, [...leading, ...shape]);
  }
}

const swapped = (x: Tensor): Tensor => {
  const axes = x.shape.map((_, i) => i);
  const [last, before] = [axes.pop()!, axes.pop()!];
  return x.transpose(...axes, last, before) as Tensor;
};

/** Matrix `index` of contiguous `[..., m, n]`, in double precision. */
function matrixAt(x: Tensor, index: number): Matrix {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const from = index * rows * columns;
  return Matrix.from1DArray(rows, columns, Array.from(x.data.subarray(from, from + rows * columns)));
}

interface Decomposition {
  readonly u: Matrix;
  readonly s: number[];
  readonly v: Matrix;
}

function decompose(x: Matrix): Decomposition {
  const found = new SingularValueDecomposition(x, { autoTranspose: true });
  return { u: found.leftSingularVectors, s: found.diagonal, v: found.rightSingularVectors };
}

/** The first columns, row by row. */
const flat = (x: Matrix, columns: number): number[] => x.subMatrix(0, x.rows - 1, 0, columns - 1).to1DArray();

/** The matrix products of `[..., m, k]` and `[..., k, n]`, leading axes broadcast; summed in double precision. */
export function product(a: Tensor, b: Tensor): Tensor {
  if (a.shape.at(-1) !== b.shape.at(-2))
    throw new RangeError(`The inner sizes of ${shapeText(a.shape)} and ${shapeText(b.shape)} differ.`);
  const leading = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
  const left = contiguous(broadcastTo(a, [...leading, ...a.shape.slice(-2)])).data;
  const right = contiguous(broadcastTo(b, [...leading, ...b.shape.slice(-2)])).data;
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const result = new Float32Array(sizeOf(leading) * m * n);
  const row = new Float64Array(n);
  for (let at = 0; at < sizeOf(leading) * m; at++) {
    const base = Math.floor(at / m) * k * n;
    row.fill(0);
    for (let i = 0; i < k; i++) {
      const factor = left[at * k + i]!;
      for (let j = 0, from = base + i * n; j < n; j++) row[j]! += factor * right[from + j]!;
    }
    result.set(row, at * n);
  }
  return tensor(result, [...leading, m, n]);
}
