import type { Magic } from "../magic.js";
import cd from "./cd.js";
import env from "./env.js";
import lsmagic from "./lsmagic.js";
import { html, markdown } from "./markup.js";
import time from "./time.js";
import who from "./who.js";

/** The magics that any TypeScript notebook has use for. */
export const builtinMagics: readonly Magic[] = [lsmagic, time, env, cd, who, html, markdown];
