import type { Diagnostic } from "./compiler.js";

/** Why a cell failed: its types are wrong, it threw, or it was interrupted. */
export type Failure =
  | { readonly kind: "types"; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "thrown"; readonly error: unknown }
  | { readonly kind: "interrupted" };
