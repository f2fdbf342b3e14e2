import type { Magic } from "../magic.js";
import acdc from "./acdc.js";
import attn from "./attn.js";
import eap from "./eap.js";
import lens from "./lens.js";
import model from "./model.js";
import plot from "./plot.js";
import probe from "./probe.js";
import steer from "./steer.js";
import tokens from "./tokens.js";
import trace from "./trace.js";

/** The magics that look into models. */
export const engineMagics: readonly Magic[] = [
  model,
  tokens,
  trace,
  lens,
  attn,
  steer,
  probe,
  plot,
  acdc,
  eap,
];
