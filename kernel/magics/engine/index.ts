import type { Magic } from "../magic.js";
import ablate from "./ablate.js";
import acdc from "./acdc.js";
import attn from "./attn.js";
import eap from "./eap.js";
import lens from "./lens.js";
import model from "./model.js";
import patch from "./patch.js";
import plot from "./plot.js";
import probe from "./probe.js";
import steer from "./steer.js";
import tokens from "./tokens.js";
import trace from "./trace.js";
import traceFact from "./trace-fact.js";

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
  patch,
  ablate,
  traceFact,
  acdc,
  eap,
];
