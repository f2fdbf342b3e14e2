import { createRequire } from "node:module";
import type typescript from "typescript";

/** The compiler that cells are compiled with. */
export const ts: typeof typescript = createRequire(import.meta.url)("typescript");
