import type { Circuit } from "../../../src/circuits/index.js";
import { DISPLAY, type MimeBundle } from "../../display/mime.js";

/** A circuit that is shown in a way of its own; otherwise it is the same. */
export function shownAs(circuit: Circuit, bundle: () => MimeBundle | Promise<MimeBundle>): Circuit {
  return Object.defineProperty(circuit, DISPLAY, { value: bundle, configurable: true });
}
