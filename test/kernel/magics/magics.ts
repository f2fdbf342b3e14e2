/** What the tests of magics share. */
import assert from "node:assert/strict";
import type { MagicServices } from "../../../kernel/magics/registry.js";
import { type Answer, ofType, plain, type TestClient } from "../client.js";

/** What a magic is given outside of a kernel, where nobody sees what it shows. */
export const services: MagicServices = {
  signal: new AbortController().signal,
  variables: {},
  display: async () => {},
  execute: async () => {},
  capture: () => () => {},
  replaceCell: () => {},
  reset: () => {},
};

/** The text that a value shows of itself. */
export function shownText(value: unknown): string {
  const display = (value as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]!;
  return String(display()["text/plain"]);
}

/** The MIME bundle of a cell's value. */
export function valueIn({ reply, published }: Answer): Record<string, unknown> {
  assert.equal(reply.status, "ok", plain(String(reply.evalue)));
  return ofType(published, "execute_result")[0]!.content.data as Record<string, unknown>;
}

/** What the tests ask of a kernel. */
export interface Asked {
  /** The MIME bundle of a cell's value. */
  value(code: string): Promise<Record<string, unknown>>;
  /** The name and the sentence of the error that a cell ends with. */
  failure(code: string): Promise<string>;
  /** What completes the end of a cell. */
  complete(code: string): Promise<string[]>;
}

/** Asks the kernel of a suite. */
export function asked(kernel: () => TestClient): Asked {
  return {
    value: async (code) => valueIn(await kernel().run(code)),
    failure: async (code) => {
      const { reply } = await kernel().run(code);
      assert.equal(reply.status, "error", code);
      return plain(`${reply.ename}: ${reply.evalue}`);
    },
    complete: async (code) => {
      const { reply } = await kernel().request("complete_request", { code, cursor_pos: code.length });
      return reply.matches as string[];
    },
  };
}
