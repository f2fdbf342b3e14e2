import type { WidgetHandle, WidgetHost } from "../host.js";
import { identityOf } from "../version.js";
import { progressFallback } from "./fallback.js";
import type { ProgressMessage, ProgressState } from "./state.js";

export { progressFallback } from "./fallback.js";
export type { ProgressCurve, ProgressState } from "./state.js";
export { progressText } from "./text.js";

/** What is done about a reader's gestures. */
export interface ProgressListener {
  /** A view of the bar stands in a page: from now on the state is enough. */
  onShown(): void;
  /** The stop button was pressed. */
  onStop(): void;
}

/** Opens a progress bar. */
export function createProgress(
  host: WidgetHost,
  state: ProgressState,
  { onShown, onStop }: ProgressListener,
): WidgetHandle<ProgressState> {
  const handle = host.create(identityOf("Progress"), state, progressFallback);
  handle.onMessage((content) => {
    const method = (content as Partial<ProgressMessage> | null)?.method;
    if (method === "shown") onShown();
    if (method === "stop" && handle.get("status") === "running") {
      handle.set({ status: "stopping" });
      onStop();
    }
  });
  return handle;
}
