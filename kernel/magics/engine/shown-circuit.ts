import type { Circuit } from "../../../src/circuits/index.js";
import { DISPLAY, type MimeBundle, mimeBundle } from "../../display/mime.js";
import { type CircuitAnimationOptions, circuitAnimation } from "../../views/acdc-animation.js";

/** A circuit that is shown in a way of its own; otherwise it is the same. */
export function shownAs(circuit: Circuit, bundle: () => MimeBundle | Promise<MimeBundle>): Circuit {
  return Object.defineProperty(circuit, DISPLAY, { value: bundle, configurable: true });
}

/** A circuit that is shown as its animation; as text, what is said of it stands in front. */
export function shownAsAnimation(circuit: Circuit, options: CircuitAnimationOptions, said: string): Circuit {
  return shownAs(circuit, async () => {
    const bundle = (await mimeBundle(await circuitAnimation(circuit, options)))!;
    return { ...bundle, "text/plain": `${said}\n${String(bundle["text/plain"])}` };
  });
}
