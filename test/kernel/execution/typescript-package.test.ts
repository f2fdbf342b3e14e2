import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { typescriptCodeCache, typescriptScript } from "../../../kernel/execution/typescript-package.js";

describe("TypeScript in the kernel", () => {
  it("starts from what V8 kept when the package was built", () => {
    assert.equal(typescriptScript(readFileSync(typescriptCodeCache)).cachedDataRejected, false);
  });

  it("is compiled anew where another V8 kept it", () => {
    const other = Buffer.from(readFileSync(typescriptCodeCache).subarray());
    other.fill(0, 0, 64);
    assert.equal(typescriptScript(other).cachedDataRejected, true);
  });
});
