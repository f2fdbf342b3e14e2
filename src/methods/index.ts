/** Techniques that look into a model. */

export { type LensToken, type LogitLens, type LogitLensOptions, logitLens } from "./logit-lens.js";
