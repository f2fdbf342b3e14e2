import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import type { Json } from "../protocol/message.js";
import { type MimeBundle, mimeBundle } from "./mime.js";
import { metadataOf } from "./picture.js";

/** Publishes a message on behalf of the work that runs now. */
export type Publish = (type: string, content: object) => void;

/** How a value is displayed. */
export interface DisplayOptions {
  /** The value is a MIME bundle already. Default false. */
  readonly raw?: boolean;
  /** Replaces what was displayed under `displayId` before. Default false. */
  readonly update?: boolean;
  /** A name under which this display can be replaced. */
  readonly displayId?: string;
  /** Metadata, by MIME type. */
  readonly metadata?: Json;
}

/** A bundle larger than this is refused: front ends freeze on it, and notebooks grow by it. */
const MAX_CHARS = 32 * 2 ** 20;

/** Shows values beside the cell that runs. */
export class Displayer {
  constructor(private readonly publish: Publish) {}

  /** Shows a value, by its MIME bundle. `undefined` shows nothing. */
  async display(value: unknown, options: DisplayOptions = {}): Promise<void> {
    const bundle = options.raw ? (value as MimeBundle) : await mimeBundle(value);
    if (bundle) this.displayBundle(bundle, options);
  }

  /** Shows a MIME bundle. */
  displayBundle(bundle: MimeBundle, { update = false, displayId, metadata = {} }: DisplayOptions = {}): void {
    this.publish(update ? "update_display_data" : "display_data", {
      data: limited(bundle),
      metadata: { ...metadataOf(bundle), ...metadata },
      transient: displayId ? { display_id: displayId } : {},
    });
  }

  /** Takes away what the cell has shown so far; with `wait`, when the next output comes. */
  clear(wait = false): void {
    this.publish("clear_output", { wait });
  }

  /** A display whose content can be replaced: each call shows the bundle in the place of the one before. */
  replaceable(): (bundle: MimeBundle) => void {
    const displayId = randomUUID();
    let shown = false;
    return (bundle) => {
      this.displayBundle(bundle, { displayId, update: shown });
      shown = true;
    };
  }
}

/** The bundle, with each part that is too large left out and a sentence in its place. */
export function limited(bundle: MimeBundle): MimeBundle {
  const kept: MimeBundle = {};
  const refused: string[] = [];
  for (const [type, data] of Object.entries(bundle)) {
    const chars = typeof data === "string" ? data.length : jsonLength(data);
    if (chars <= MAX_CHARS) kept[type] = data;
    else refused.push(`${type} of ${Math.round(chars / 2 ** 20)} MB`);
  }
  if (!refused.length) return bundle;
  const sentence = `This output is too large for a notebook and was left out: ${refused.join(", ")} (the limit is ${MAX_CHARS / 2 ** 20} MB). Show a part of it, or write it to a file.`;
  const text = kept["text/plain"];
  return { ...kept, "text/plain": text === undefined ? sentence : `${sentence}\n${String(text)}` };
}

function jsonLength(data: unknown): number {
  const json = JSON.stringify(data);
  if (json === undefined) throw new TypeError(`${inspect(data)} cannot be displayed: it is not JSON`);
  return json.length;
}
