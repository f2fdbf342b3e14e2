import type { Magic } from "../magic.js";
import capture from "./capture.js";
import cd from "./cd.js";
import env from "./env.js";
import js from "./js.js";
import load from "./load.js";
import lsmagic from "./lsmagic.js";
import { html, markdown } from "./markup.js";
import npm from "./npm.js";
import reset from "./reset.js";
import time from "./time.js";
import who from "./who.js";

/** The magics that any TypeScript notebook has use for. */
export const builtinMagics: readonly Magic[] = [
  lsmagic,
  time,
  capture,
  env,
  cd,
  npm,
  who,
  reset,
  html,
  markdown,
  js,
  load,
];
