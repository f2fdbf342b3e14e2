import type { Diagnostic } from "./compiler.js";

/** Why a cell failed: its types are wrong, it threw, it was interrupted, or it was ended for want of memory. */
export type Failure =
  | { readonly kind: "types"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "thrown"; readonly error: unknown }
  | { readonly kind: "interrupted" }
  | { readonly kind: "memory"; readonly sentence: string };
