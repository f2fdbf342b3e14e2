import assert from "node:assert/strict";
import { ablate, type Edit, type Tensor, tensor } from "../../src/index.js";
import { inductionProgram } from "../../src/tasks/index.js";

const { model, edges, prompts } = inductionProgram({ letters: 6, length: 10 });
const drawn = prompts({ count: 40, seed: 1 });
const clean = drawn.map((prompt) => prompt.clean);

async function logits(edits: Edit[] = []): Promise<Tensor> {
  return model.forward(clean, { edits, logits: "last" });
}

const largestDifference = (a: Tensor, b: Tensor): number =>
  Math.max(...a.data.map((value, i) => Math.abs(value - b.data[i]!)));

describe("the compiled induction program", () => {
  it("knows what followed the last token before", async () => {
    const out = await logits();
    drawn.forEach(({ answer }, row) => {
      const scores = Array.from({ length: model.config.dVocab }, (_, id) => out.get(row, 0, id));
      assert.equal(scores.indexOf(Math.max(...scores)), answer);
      assert.ok(scores[answer]! > 19);
    });
  });

  it("draws prompts whose corruption has another answer and as many tokens", () => {
    for (const { clean: one, corrupt, answer, wrongAnswer } of drawn) {
      assert.equal(one.length, corrupt.length);
      assert.notEqual(answer, wrongAnswer);
      assert.equal(one[one.indexOf(one.at(-1)!) + 1], answer);
      assert.equal(corrupt[corrupt.indexOf(corrupt.at(-1)!) + 1], wrongAnswer);
    }
    assert.deepEqual(prompts({ count: 3, seed: 4 }), prompts({ count: 3, seed: 4 }));
  });

  it("needs two of its heads, and nothing else", async () => {
    const before = await logits();
    for (const layer of [0, 1]) {
      for (const head of [0, 1]) {
        const after = await logits([ablate(["z", layer], { head })]);
        const change = largestDifference(before, after);
        if (head === 0) assert.ok(change > 10, `${layer}.${head}`);
        else assert.equal(change, 0, `${layer}.${head}`);
      }
      assert.equal(largestDifference(before, await logits([ablate(["mlp_out", layer])])), 0);
    }
  });

  it("depends on its true edges and no others: each sender taken out of each receiver's input", async () => {
    const { cache } = await model.runWithCache(clean);
    const before = await logits();
    const found: string[] = [];
    const headResult = (layer: number, head: number): Tensor =>
      cache.get("result", layer).pick(null, null, head, null) as Tensor;
    const senders = (layer: number): [string, Tensor][] => [
      ["embed", cache.get("hook_embed")],
      ["pos", cache.get("hook_pos_embed")],
      ...[0, 1]
        .filter((below) => below < layer)
        .flatMap((below): [string, Tensor][] => [
          [`a${below}.h0`, headResult(below, 0)],
          [`a${below}.h1`, headResult(below, 1)],
          [`m${below}`, cache.get("mlp_out", below)],
        ]),
    ];
    const without = async (point: string, head: number | undefined, sender: Tensor): Promise<number> => {
      const hook = (value: Tensor): Tensor => {
        const changed = tensor(Float32Array.from(value.data), value.shape);
        const [rows, places, width] = sender.shape as [number, number, number];
        for (let row = 0; row < rows; row++)
          for (let place = 0; place < places; place++)
            for (let d = 0; d < width; d++) {
              const at = head === undefined ? [row, place, d] : [row, place, head, d];
              changed.set(...at, changed.get(...at) - sender.get(row, place, d));
            }
        return changed;
      };
      const run = await model.runWithHooks(clean, { hooks: [[point, hook]] });
      const last = run.logits.pick(null, clean[0]!.length - 1, null) as Tensor;
      const [rows, width] = last.shape as [number, number];
      let worst = 0;
      for (let row = 0; row < rows; row++)
        for (let id = 0; id < width; id++)
          worst = Math.max(worst, Math.abs(last.get(row, id) - before.get(row, 0, id)));
      return worst;
    };
    let tried = 0;
    const test = async (
      edge: string,
      point: string,
      head: number | undefined,
      sender: Tensor,
    ): Promise<void> => {
      tried++;
      if ((await without(point, head, sender)) > 1e-6) found.push(edge);
    };
    for (const layer of [0, 1]) {
      for (const head of [0, 1])
        for (const kind of ["q", "k", "v"])
          for (const [name, value] of senders(layer))
            await test(
              `${name}->a${layer}.h${head}<${kind}>`,
              `blocks.${layer}.hook_${kind}_input`,
              head,
              value,
            );
      for (const [name, value] of senders(layer))
        await test(`${name}->m${layer}`, `blocks.${layer}.hook_mlp_in`, undefined, value);
    }
    for (const [name, value] of senders(2))
      await test(`${name}->logits`, "blocks.1.hook_resid_post", undefined, value);
    console.log(`      ${found.length} of ${tried} edges matter`);
    assert.deepEqual(new Set(found), new Set(edges));
  });

  it("says what is wrong with its options", () => {
    assert.throws(() => inductionProgram({ letters: 2 }), /4 or more for letters; 2 came/);
    assert.throws(() => prompts({ count: 0 }), /count from 1 on; 0 came/);
  });
});
