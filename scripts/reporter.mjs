// Mocha's ordinary report; where $TEST_COUNTS names a file, it also writes there how many tests passed, failed and were skipped.
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TEST_COUNTS;
    if (!file) return;
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      const skipped = pending ? `, ${pending} skipped` : "";
      writeFileSync(file, `${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
}
