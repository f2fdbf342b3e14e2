import assert from "node:assert/strict";
import fc from "fast-check";
import {
  broadcastTo,
  contiguous,
  copy,
  describe as describeTensor,
  fromNested,
  isContiguous,
  maxAbsDifference,
  type Nested,
  sameShape,
  slice,
  type Tensor,
  tensor,
  toNested,
  zeros,
} from "../../src/array/index.js";

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 0, maxLength: 4 });

function counting(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => i),
    shape,
  );
}

/** Any view made of slices, steps and transposes. */
const views = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    fc.array(
      fc.tuple(
        fc.nat(3),
        fc.integer({ min: -5, max: 5 }),
        fc.integer({ min: -5, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      {
        maxLength: 3,
      },
    ),
    fc.boolean(),
  )
  .map(([shape, cuts, flip]) => {
    let view = counting(shape);
    for (const [axis, from, to, step] of cuts) {
      if (axis < view.shape.length) view = slice(view, axis, { from, to, step });
    }
    return flip ? view.transpose(...view.shape.map((_, axis) => view.shape.length - 1 - axis)) : view;
  });

function elements(x: Tensor): number[] {
  const visit = (place: number[]): number[] =>
    place.length === x.shape.length
      ? [x.get(...place)]
      : Array.from({ length: x.shape[place.length]! }, (_, i) => visit([...place, i])).flat();
  return visit([]);
}

describe("tensor", () => {
  it("refuses data that do not fill the shape, with both numbers", () => {
    assert.throws(() => tensor([1, 2, 3], [2, 2]), /\[2, 2\] has 4 elements, but 3 values came/);
    assert.throws(() => zeros([2, -1]), /whole numbers from 0 on; this one is \[2, -1\]/);
    assert.throws(() => zeros([1.5]), /\[1.5\]/);
  });

  it("lays out any strided view row by row", () => {
    fc.assert(
      fc.property(views, (view) => {
        const packed = contiguous(view);
        assert.deepEqual(packed.shape, view.shape);
        assert.deepEqual([...packed.data], elements(view));
        assert.deepEqual([...copy(view).data], elements(view));
        assert.ok(isContiguous(packed));
      }),
    );
  });

  it("copies nothing where the values stand row by row, also inside a larger buffer", () => {
    const x = counting([4, 3]);
    assert.equal(contiguous(x), x);
    const rows = contiguous(slice(x, 0, { from: 1, to: 3 }));
    assert.equal(rows.data.buffer, x.data.buffer);
    assert.deepEqual([...rows.data], [3, 4, 5, 6, 7, 8]);
    assert.notEqual(copy(x).data.buffer, x.data.buffer);
    assert.notEqual(contiguous(x.transpose(1, 0)).data.buffer, x.data.buffer);
  });

  it("goes to nested arrays and back", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        // An empty axis hides those behind it.
        const visible = shape.includes(0) ? shape.slice(0, shape.indexOf(0) + 1) : shape;
        const x = counting(visible);
        const back = fromNested(toNested(x) as Nested);
        assert.deepEqual(back.shape, visible);
        assert.deepEqual(back.data, x.data);
      }),
    );
    assert.deepEqual(toNested(tensor(BigInt64Array.of(1n, 2n))), [1n, 2n]);
  });

  it("says where nested rows differ", () => {
    assert.throws(() => fromNested([[1, 2], [3]]), /an array of 2 was expected at \[1\], one of 1 came/);
    assert.throws(
      () => fromNested([[[1]], [2]] as Nested),
      /an array of 1 was expected at \[1, 0\], the number 2 came/,
    );
    assert.throws(() => fromNested([1, [2]]), /number was expected at \[1\]; an array of 1 came/);
    assert.throws(
      () => fromNested([1, "2" as unknown as number]),
      /number was expected at \[1\]; string 2 came/,
    );
  });

  it("slices by index and range as NumPy does, without copying", () => {
    const x = counting([2, 3, 4]);
    assert.deepEqual(toNested(slice(slice(x, 0, 1), -1, -1)), [15, 19, 23]);
    assert.deepEqual(toNested(slice(slice(x, 0, 0), 1, { from: -3, step: 2 })), [
      [1, 3],
      [5, 7],
      [9, 11],
    ]);
    assert.equal(slice(x, 1, { from: 2, to: 99 }).shape[1], 1);
    assert.equal(slice(x, 1, { from: 2, to: 1 }).shape[1], 0);
    assert.equal(slice(x, 1, 0).data, x.data);
    assert.throws(() => slice(x, 1, 3), /Index 3 is outside axis 1 of the shape \[2, 3, 4\]/);
    assert.throws(() => slice(x, 3, 0), /no axis 3 in the shape \[2, 3, 4\]/);
    assert.throws(() => slice(x, 0, { step: 0 }), /step is a whole number from 1 on; 0 came/);
  });

  it("broadcasts by NumPy's rule, without copying", () => {
    const column = counting([2, 1]);
    assert.deepEqual(
      toNested(broadcastTo(column, [3, 2, 2])),
      Array(3).fill([
        [0, 0],
        [1, 1],
      ]),
    );
    assert.equal(broadcastTo(column, [2, 5]).data, column.data);
    assert.throws(() => broadcastTo(column, [3, 2]), /\[2, 1\] does not broadcast to \[3, 2\]/);
    assert.throws(() => broadcastTo(column, [2]), /\[2, 1\] does not broadcast to \[2\]/);
  });

  it("names both shapes where they differ", () => {
    assert.throws(
      () => sameShape(zeros([2, 3]), zeros([3, 2]), "a patch and its point"),
      (error: Error) => /a patch and its point: \[2, 3\] and \[3, 2\]/.test(error.message),
    );
    sameShape(zeros([2, 3]), zeros([2, 3]));
  });

  it("finds the largest difference, and does not overlook NaN", () => {
    assert.equal(maxAbsDifference(tensor([1, 2, 3]), tensor([1, 2.5, 2])), 1);
    assert.equal(maxAbsDifference(tensor([-Infinity, 1]), tensor([-Infinity, 1])), 0);
    assert.equal(maxAbsDifference(tensor([Infinity]), tensor([1])), Infinity);
    assert.ok(Number.isNaN(maxAbsDifference(tensor([Number.NaN, 9]), tensor([0, 0]))));
    assert.ok(Number.isNaN(maxAbsDifference(tensor([9, 0]), tensor([0, Number.NaN]))));
    assert.equal(maxAbsDifference(tensor(BigInt64Array.of(5n)), tensor([3])), 2);
    assert.throws(() => maxAbsDifference(zeros([1]), zeros([2])), /\[1\] and \[2\]/);
  });

  it("is described by shape, type, range and corners", () => {
    assert.equal(
      describeTensor(tensor([1, 2, 3, 4], [2, 2])),
      "float32 [2, 2]  min 1  mean 2.5  max 4\n[1, 2]\n[3, 4]",
    );
    assert.match(
      describeTensor(tensor([1, Number.NaN, -Infinity])),
      /min 1 {2}mean 1 {2}max 1 {2}not finite: 2/,
    );
    assert.equal(describeTensor(zeros([0, 3])), "float32 [0, 3]  empty");
    assert.equal(describeTensor(counting([9, 9])).split("\n").length, 5);
    assert.match(describeTensor(counting([9, 9])), /\[72, 73, 74, …, 79, 80\]$/);
    assert.match(describeTensor(tensor(Float32Array.of(2.5), [])), /^float32 \[\].*\n\[2.5\]$/);
  });
});
