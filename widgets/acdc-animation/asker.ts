import { hasKernel, listen, type ViewModel } from "../browser/contract.js";
import type { AcdcAnimationState, MeasureAnswer, MeasureRequest } from "./state.js";

/** How long something must be looked at before the kernel is asked. */
const patience = 120;

let nextId = Math.floor(Math.random() * 2 ** 30);

/** What the kernel has measured, and what it is asked: the newest question is the one that counts. */
export class Asker {
  /** A sentence where the last question could not be answered. */
  error = "";
  private readonly known = new Map<string, number>();
  private readonly open = new Map<number, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted = "";
  private readonly forget: () => void;

  /** @param answered is called when something has become known */
  constructor(
    private readonly model: ViewModel<AcdcAnimationState>,
    answered: () => void,
  ) {
    const saved = model.get("measured");
    if (saved) this.known.set(keyOf(saved.position, saved.cuts), saved.metric);
    this.forget = listen(model, ["msg:custom"], (content: MeasureAnswer) => {
      const key = content?.method === "measure" ? this.open.get(content.id) : undefined;
      if (key === undefined) return;
      this.open.delete(content.id);
      this.error = content.error;
      if (content.metric !== null) this.known.set(key, content.metric);
      // A question that another one overtook may be asked again; one that failed would fail again.
      else if (!content.error && this.wanted === key) this.wanted = "";
      answered();
    });
  }

  /** Whether the kernel can be asked. */
  get isPossible(): boolean {
    return hasKernel(this.model) && this.model.get("can_measure");
  }

  /** The metric after so many steps and without some edges, where it is known. */
  recall(position: number, without: readonly number[]): number | undefined {
    return this.known.get(keyOf(position, without));
  }

  /** The same; where it is not known the kernel is asked soon, unless something else is by then. */
  ask(position: number, without: readonly number[], { now = false } = {}): number | undefined {
    const key = keyOf(position, without);
    const known = this.known.get(key);
    if (known !== undefined || !this.isPossible || key === this.wanted) return known;
    clearTimeout(this.timer);
    this.wanted = key;
    this.error = "";
    const send = (): void => {
      const request: MeasureRequest = { method: "measure", id: nextId++, position, without: [...without] };
      this.open.set(request.id, key);
      this.model.send(request);
    };
    if (now) send();
    else this.timer = setTimeout(send, patience);
    return undefined;
  }

  close(): void {
    clearTimeout(this.timer);
    this.forget();
  }
}

const keyOf = (position: number, without: readonly number[]): string =>
  `${position}:${[...without].sort((a, b) => a - b).join()}`;
