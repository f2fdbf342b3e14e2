/** The kernel's process: `node main.js --config-path <connection file>`. */
import { createRequire } from "node:module";
import { setHost } from "../src/runtime/host.js";
import { setCurrentWidgets } from "./comms/current.js";
import { setCurrentKernel } from "./current.js";
import type { MimeBundle } from "./display/mime.js";
import { definePrompts } from "./execution/input.js";
import { guardProcess } from "./execution/process-guard.js";
import { hookStreams } from "./execution/streams.js";
import { hookTimers } from "./execution/timers.js";
import { Kernel } from "./kernel.js";
import { defineClock } from "./magics/builtin/time.js";
import { readConnection } from "./protocol/connection.js";

const at = process.argv.indexOf("--config-path");
const path = at < 0 ? undefined : process.argv[at + 1];
if (!path) {
  console.error("The kernel is started by Jupyter, with --config-path and the connection file.");
  process.exit(2);
}

const connection = readConnection(path);
const exit = guardProcess((error) => kernel.report(error));
hookTimers();
const kernel = new Kernel(connection, process.cwd(), exit);
setCurrentKernel(kernel);
setCurrentWidgets(kernel.widgets);
hookStreams((name, text) => kernel.write(name, text));
definePrompts((prompt, hidden) => kernel.ask(prompt, hidden));
defineClock();
setHost({
  signal: () => kernel.signal(),
  progress: (progress) => kernel.progress(progress),
  display: (value) => kernel.displayer.display(value),
});

/** What tslab's own display functions hand over. */
interface TslabDisplay {
  readonly data: MimeBundle;
  readonly transient: { readonly display_id?: string };
}

// tslab's display functions read this binding of its CommonJS module.
const tslab = createRequire(import.meta.url)("tslab/dist/jupyter.js") as Record<string, unknown>;
tslab.lastWriteDisplayData = ({ data, transient }: TslabDisplay, update: boolean): void => {
  const displayId = transient.display_id;
  kernel.displayer.displayBundle(data, { update: update === true, ...(displayId ? { displayId } : {}) });
};

// Jupyter interrupts by message. A signal does the same, save for a loop behind an await, which does not let it through.
process.on("SIGINT", () => kernel.interrupt());
process.on("SIGTERM", () => kernel.stop());
