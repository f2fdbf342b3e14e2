import type { Magic } from "../magic.js";
import lens from "./lens.js";
import model from "./model.js";
import steer from "./steer.js";
import tokens from "./tokens.js";
import trace from "./trace.js";

/** The magics that look into models. */
export const engineMagics: readonly Magic[] = [model, tokens, trace, lens, steer];
