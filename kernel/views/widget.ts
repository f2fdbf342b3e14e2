/** A live widget as the value of a cell. */

import type { WidgetHandle } from "../../widgets/host.js";
import { DISPLAY, type MimeBundle } from "../display/mime.js";

/** A live widget; as the last value of a cell it is shown. */
export interface ShownWidget {
  /** The synchronised state. */
  readonly handle: WidgetHandle<object>;
  /** Resolves when the widget has caught up with the reader's choices. */
  settled(): Promise<void>;
  /** Ends the widget here and in the browser. */
  close(): void;
}

/** Gives a widget the method by which notebooks show values. */
export function shown<S extends object>(widget: {
  readonly handle: WidgetHandle<S>;
  settled(): Promise<void>;
  close(): void;
}): ShownWidget {
  const display = (widget.handle as unknown as Record<symbol, () => MimeBundle>)[DISPLAY]!;
  const face: ShownWidget = {
    handle: widget.handle as unknown as WidgetHandle<object>,
    settled: () => widget.settled(),
    close: () => widget.close(),
  };
  return Object.defineProperty(face, DISPLAY, {
    value: async () => {
      await widget.settled(); // so that the static picture beside the widget shows what it will show
      return display.call(widget.handle);
    },
  });
}
