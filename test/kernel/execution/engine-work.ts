/** Cells that keep the engine at work until they are stopped; each counts in `work.done` and says when it is under way. */
export const engineWork = {
  /** What the cells need, to be run before them. */
  setUp: `
    import { loadModel, newLanguageModel } from "tslens";
    import { constantRate, train } from "tslens/train";
    const model = await loadModel("tiny-world");
    const work = { done: 0 };
    const count = () => { if (++work.done === 3) console.log("under way"); };
    const fresh = newLanguageModel({
      model_type: "gpt2", n_layer: 4, n_head: 4, n_embd: 128, n_positions: 128, vocab_size: 500,
    });
    const rows = Array.from({ length: 16 }, (_, row) => Array.from({ length: 129 }, (_, i) => (row + i * i) % 500));`,
  cells: {
    training: `
      work.done = 0;
      await train(fresh, {
        steps: 1_000_000,
        schedule: constantRate(0.001),
        batch: () => fresh.batch(rows),
        onStep: count,
      });`,
    "a loop of forward runs": `
      work.done = 0;
      const prompts = Array.from({ length: 32 }, () => "Mary gave the book to John. ".repeat(20));
      for (;;) { await model.forward(prompts); count(); }`,
    "one forward run of many rows": `
      work.done = 3;
      console.log("under way");
      await model.forward(Array.from({ length: 4000 }, () => "Mary gave the book to John. ".repeat(20)), { logits: "last" });`,
    "a generation": `
      work.done = 0;
      for (;;) await model.generate("Mary", { maxNewTokens: 200, stopAtEos: false, onToken: count });`,
  },
} as const;
