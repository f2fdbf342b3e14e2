import assert from "node:assert/strict";
import fc from "fast-check";
import { type AnyTensor, contiguous, type Tensor, tensor } from "../../src/array/index.js";
import {
  ablate,
  add,
  clamp,
  type Edit,
  loadModel,
  type Metric,
  type Model,
  patch,
  project,
  scale,
} from "../../src/model/index.js";
import { fixture } from "../shared.js";
import { scaledError } from "./reference.js";

const families = ["gpt2", "llama", "llama_rope3"];
const tokens = [
  [5, 17, 3, 99, 42, 8, 61, 5],
  [1, 2, 3, 4, 5, 6, 7, 8],
];

/** Elementwise, on copies. */
const zip = (a: Tensor, b: Tensor, f: (x: number, y: number) => number): Tensor => {
  const other = contiguous(b).data;
  return tensor(
    contiguous(a).data.map((x, i) => f(x, other[i]!)),
    a.shape,
  );
};

/** The sum over the heads of `[batch, pos, head, dModel]`. */
function sumOverHeads(x: Tensor): Tensor {
  const [batch, length, heads, width] = x.shape as [number, number, number, number];
  const { data } = contiguous(x);
  const sums = new Float32Array(batch * length * width);
  data.forEach((value, i) => {
    sums[Math.floor(i / (heads * width)) * width + (i % width)]! += value;
  });
  return tensor(sums, [batch, length, width]);
}

for (const family of families) {
  describe(`the arithmetic inside ${family}`, () => {
    let model: Model;
    const close = (a: Tensor, b: Tensor, what: string): void => {
      const error = scaledError(a, b, 1);
      assert.ok(error < 5e-6, `${what}: ${error}`);
    };

    before(async () => {
      model = await loadModel(fixture("models", family));
    });

    it("adds up: resid_pre + attn_out = resid_mid, resid_mid + mlp_out = resid_post, which is the next resid_pre", async () => {
      const { cache } = await model.runWithCache(tokens);
      for (let layer = 0; layer < model.config.nLayers; layer++) {
        const mid = zip(cache.get("resid_pre", layer), cache.get("attn_out", layer), (x, y) => x + y);
        close(mid, cache.get("resid_mid", layer), `resid_mid ${layer}`);
        close(
          zip(mid, cache.get("mlp_out", layer), (x, y) => x + y),
          cache.get("resid_post", layer),
          `resid_post ${layer}`,
        );
        if (layer > 0)
          close(cache.get("resid_pre", layer), cache.get("resid_post", layer - 1), `resid_pre ${layer}`);
      }
    });

    it("mixes values by patterns: pattern · v = z", async () => {
      const { cache } = await model.runWithCache(tokens);
      const group = model.config.nHeads / model.config.nKvHeads;
      for (let layer = 0; layer < model.config.nLayers; layer++) {
        const [pattern, v, z] = ["pattern", "v", "z"].map((name) => cache.get(name, layer)) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        const [batch, length, heads, width] = z.shape as [number, number, number, number];
        const mixed = new Float32Array(batch * length * heads * width);
        let at = 0;
        for (let b = 0; b < batch; b++)
          for (let q = 0; q < length; q++)
            for (let h = 0; h < heads; h++)
              for (let d = 0; d < width; d++, at++)
                for (let k = 0; k <= q; k++)
                  mixed[at]! += pattern.get(b, h, q, k) * v.get(b, k, Math.floor(h / group), d);
        close(tensor(mixed, z.shape), z, `z ${layer}`);
      }
    });

    it("has patterns whose rows sum to 1 and look at nothing that comes later", async () => {
      const pattern = (await model.runWithCache(tokens)).cache.get("pattern", 1);
      const [batch, heads, length] = pattern.shape as [number, number, number];
      for (let b = 0; b < batch; b++)
        for (let h = 0; h < heads; h++)
          for (let q = 0; q < length; q++) {
            let sum = 0;
            for (let k = 0; k < length; k++) {
              if (k > q) assert.equal(pattern.get(b, h, q, k), 0);
              sum += pattern.get(b, h, q, k);
            }
            assert.ok(Math.abs(sum - 1) < 1e-5);
          }
    });

    it("sums the heads' results, plus the bias, to attn_out; made in the run or from its cache", async () => {
      const { cache } = await model.runWithCache(tokens);
      const named = await model.runWithCache(tokens, { names: /hook_result$/ });
      const bias = model.weights.get("b_O");
      for (let layer = 0; layer < model.config.nLayers; layer++) {
        const width = model.config.dModel;
        const sum = sumOverHeads(named.cache.get("result", layer));
        const whole = tensor(
          sum.data.map((x, i) => x + bias.get(layer, i % width)),
          sum.shape,
        );
        close(whole, cache.get("attn_out", layer), `attn_out ${layer}`);
        close(cache.get("result", layer), named.cache.get("result", layer), `result ${layer}`);
      }
    });

    it("gives the same logits whatever is watched", async () => {
      const plain = await model.forward(tokens);
      close((await model.runWithCache(tokens)).logits, plain, "all points");
      close(
        (await model.runWithCache(tokens, { names: model.hookNames })).logits,
        plain,
        "all points by name",
      );
      for (const name of model.hookNames)
        close((await model.runWithCache(tokens, { names: name })).logits, plain, name);
    });

    it("gives the same values for a point watched alone, among all, and without logits", async () => {
      const all = (await model.runWithCache(tokens, { names: model.hookNames })).cache;
      for (const name of model.hookNames) {
        const alone = await model.runWithCache(tokens, { names: name, logits: "none" });
        assert.equal(alone.logits, undefined);
        close(alone.cache.get(name), all.get(name), name);
      }
    });

    it("gives the last row of all logits when asked for the last alone", async () => {
      const all = await model.forward(tokens);
      const last = await model.forward(tokens, { logits: "last" });
      assert.deepEqual(last.shape, [2, 1, model.config.dVocab]);
      close(
        last,
        tensor(contiguous(all.pick(null, tokens[0]!.length - 1, null) as Tensor).data, last.shape),
        "last",
      );
    });

    it("stops before a layer with the same values up to it", async () => {
      const { cache } = await model.runWithCache(tokens);
      const stopped = await model.runWithCache(tokens, { stopAtLayer: 1 });
      assert.equal(stopped.logits, undefined);
      assert.ok(
        stopped.cache.names.every((name) => name.startsWith("blocks.0.") || name.startsWith("hook_")),
      );
      for (const name of stopped.cache.names) close(stopped.cache.get(name), cache.get(name), name);
    });

    it("predicts what comes next from what came before alone", async () => {
      const longer = await model.forward([[...tokens[0]!, 33, 12]]);
      const shorter = await model.forward([tokens[0]!]);
      const prefix = longer.hi(1, tokens[0]!.length, longer.shape[2]) as Tensor;
      close(prefix, shorter, "prefix");
    });

    it("gives each text of a ragged batch the logits that it has alone", async () => {
      const texts = [[5, 17, 3], [1, 2, 3, 4, 5, 6, 7], [9]];
      const logits = await model.forward(texts);
      const length = 7;
      for (const [row, text] of texts.entries()) {
        const alone = await model.forward([text]);
        const beside = logits.hi(row + 1, length, logits.shape[2]).lo(row, length - text.length, 0) as Tensor;
        close(beside, alone, `row ${row}`);
        if (text.length > 1) {
          const loss = await model.loss(texts, { perToken: true });
          const own = await model.loss([text], { perToken: true });
          for (let i = 0; i < text.length - 1; i++)
            assert.ok(Math.abs(loss.get(row, length - text.length + i) - own.get(0, i)) < 1e-5);
        }
      }
    });

    it("has the gradients of a padded row that it has without padding", async () => {
      const text = [5, 17, 3, 42];
      const long = [1, 2, 3, 4, 5, 6, 7];
      const names = ["blocks.0.hook_resid_pre", "blocks.1.attn.hook_z", "blocks.1.mlp.hook_post"];
      const metric: Metric = ({ logits }) => logits.at(0, -1, 7).sub(logits.at(0, -1, 8));
      const alone = await model.gradients([text], metric, names);
      const padded = await model.gradients([text, long], metric, names);
      assert.ok(Math.abs(alone.value - padded.value) < 1e-5);
      for (const name of names) {
        const all = padded.cache.get(name);
        const high = [1, long.length, ...all.shape.slice(2)];
        const low = [0, long.length - text.length, ...all.shape.slice(2).map(() => 0)];
        close(all.hi(...high).lo(...low) as Tensor, alone.cache.get(name), name);
      }
    });

    it("reads token ids as lists and as integer arrays alike", async () => {
      const expected = await model.forward(tokens);
      const flat = tokens.flat();
      for (const input of [
        tensor(Int32Array.from(flat), [2, 8]),
        tensor(BigInt64Array.from(flat, BigInt), [2, 8]),
        tensor(Float32Array.from(flat), [2, 8]),
      ])
        assert.deepEqual(await model.forward(input as AnyTensor), expected);
      const row = await model.forward(tokens[0]!);
      assert.deepEqual(row.shape, [1, 8, model.config.dVocab]);
    });

    it("changes by an edit as by the same edit written as a hook", async () => {
      const { cache } = await model.runWithCache(tokens.map((row) => [...row].reverse()));
      const { nLayers, nHeads, dModel, dHead } = model.config;
      const vector = Float32Array.from({ length: dModel }, (_, i) => Math.sin(i));
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: nLayers - 1 }),
          fc.integer({ min: 0, max: nHeads - 1 }),
          fc.integer({ min: -8, max: 7 }),
          fc.double({ min: -3, max: 3, noNaN: true }),
          fc.constantFrom("ablate", "mean", "patch", "add", "scale", "clamp", "project"),
          async (layer, head, pos, number, kind) => {
            const at = pos < 0 ? pos + 8 : pos;
            const z = `blocks.${layer}.attn.hook_z`;
            const residual = `blocks.${layer}.hook_resid_pre`;
            const [name, edit, change] = sameChange(kind, {
              z,
              residual,
              head,
              pos,
              number,
              vector,
              cache,
              dHead,
            });
            const byEdit = await model.forward(tokens, { edits: [edit] });
            const hook = (value: Tensor): Tensor => {
              const changed = tensor(contiguous(value).data.slice(), value.shape);
              const mean = meanOver(value);
              for (let b = 0; b < 2; b++)
                for (let p = 0; p < 8; p++) {
                  if (p !== at) continue;
                  if (name === z)
                    for (let d = 0; d < dHead; d++)
                      changed.set(
                        b,
                        p,
                        head,
                        d,
                        change(value.get(b, p, head, d), { b, p, d, mean: mean(head, d), dot: 0 }),
                      );
                  else {
                    let dot = 0;
                    for (let d = 0; d < dModel; d++) dot += value.get(b, p, d) * vector[d]!;
                    for (let d = 0; d < dModel; d++)
                      changed.set(b, p, d, change(value.get(b, p, d), { b, p, d, mean: 0, dot }));
                  }
                }
              return changed;
            };
            const { logits } = await model.runWithHooks(tokens, { hooks: [[name, hook]] });
            close(byEdit, logits, kind);
          },
        ),
        { numRuns: 20, seed: 7 },
      );
    });

    it("composes edits in the order given, and keeps those of withEdits", async () => {
      // Not the same number everywhere: layer norm would take that away again.
      const first = add(
        "blocks.1.hook_resid_pre",
        Float32Array.from({ length: model.config.dModel }, (_, i) => Math.cos(i)),
      );
      const second = scale("blocks.1.hook_resid_pre", 0.5);
      const together = await model.forward(tokens, { edits: [first, second] });
      const turned = await model.forward(tokens, { edits: [second, first] });
      close(await model.withEdits([first]).forward(tokens, { edits: [second] }), together, "withEdits");
      assert.ok(scaledError(together, turned) > 1e-3);
      close(await model.forward(tokens), await model.withEdits([]).forward(tokens), "no edits");
    });

    it("keeps points that an edit cuts off from the logits", async () => {
      const point = model.hookNames.find((name) => name.endsWith("hook_attn_out")) ?? "hook_embed";
      const { cache } = await model.runWithCache(tokens);
      const edits = [patch(point, cache)];
      const edited = await model.runWithCache(tokens, { edits });
      for (const name of edited.cache.names) close(edited.cache.get(name), cache.get(name), name);
    });

    it("generates with an edit what repeated forward passes with it would give", async () => {
      const prompt = tokens[0]!.slice(0, 4);
      const edits = [
        ablate("blocks.0.attn.hook_z", { head: 1 }),
        add(["resid_post", 0], new Float32Array(model.config.dModel).fill(0.2)),
      ];
      const row = [...prompt];
      for (let i = 0; i < 8; i++) {
        const logits = await model.forward([row], { edits, logits: "last" });
        row.push(contiguous(logits).data.reduce((best, x, id, all) => (x > all[best]! ? id : best), 0));
      }
      assert.deepEqual((await model.generate([prompt], { maxNewTokens: 8, edits })).tokens, [row]);
    });
  });
}

interface Change {
  readonly z: string;
  readonly residual: string;
  readonly head: number;
  readonly pos: number;
  readonly number: number;
  readonly vector: Float32Array;
  readonly cache: { get(name: string): Tensor };
  readonly dHead: number;
}

/** One change as an edit, and as what happens to each number. */
function sameChange(
  kind: string,
  { z, residual, head, pos, number, vector, cache }: Change,
): [
  string,
  Edit,
  (value: number, at: { b: number; p: number; d: number; mean: number; dot: number }) => number,
] {
  const norm = Math.hypot(...vector);
  switch (kind) {
    case "ablate":
      return [z, ablate(z, { head, pos }), () => 0];
    case "mean":
      return [z, ablate(z, { head, pos, mode: "mean" }), (_, { mean }) => mean];
    case "patch":
      return [z, patch(z, cache, { head, pos }), (_, { b, p, d }) => cache.get(z).get(b, p, head, d)];
    case "add":
      return [
        residual,
        add(residual, vector, { coefficient: number, pos }),
        (x, { d }) => x + number * vector[d]!,
      ];
    case "scale":
      return [z, scale(z, number, { head, pos }), (x) => x * number];
    case "clamp":
      return [
        residual,
        clamp(residual, { min: -0.3, max: 0.2, pos }),
        (x) => Math.min(0.2, Math.max(-0.3, x)),
      ];
    default:
      return [
        residual,
        project(residual, vector, { pos }),
        (x, { d, dot }) => x - (dot * vector[d]!) / norm ** 2,
      ];
  }
}

/** The mean over batch and positions of one head's value. */
function meanOver(value: Tensor): (head: number, d: number) => number {
  return (head, d) => {
    let sum = 0;
    for (let b = 0; b < value.shape[0]!; b++)
      for (let p = 0; p < value.shape[1]!; p++) sum += value.get(b, p, head, d);
    return sum / (value.shape[0]! * value.shape[1]!);
  };
}
