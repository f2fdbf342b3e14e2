/** The machine that a pickle's instructions work on: bytes, a stack, and values met before. */

/** A Python tuple; lists are arrays. */
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A Python dictionary: keys are texts, numbers, bools, `null` or tuples. */
export type PickleDict = Map<unknown, unknown>;

/** What a pickle may use. */
export interface PickleOptions {
  /**
   * What stands for a Python name such as `"collections.OrderedDict"`: a function that makes an object from the arguments
   * of its call, or any other value for a name that is only mentioned; `undefined` refuses the file.
   */
  readonly global: (name: string) => unknown;
  /** What stands for a reference to something outside the pickle, such as the values of a tensor. */
  readonly persistent?: (id: unknown) => unknown;
  /** What the bytes are called in errors. */
  readonly source?: string;
}

/** What a pickle held, and where it ended: some files have one pickle after another. */
export interface Unpickled {
  readonly value: unknown;
  /** The place behind the pickle's last byte. */
  readonly end: number;
}

const mark = Symbol("mark");
/** Longer integers are of no use in a file of tensors, and slow to read. */
const maxIntegerBytes = 32;

/** What is wrong with a pickle, to be put behind its name. */
export class PickleError extends Error {}

/** What is done at each number. */
export type Instructions = Readonly<Record<number, (reader: Unpickler) => void>>;

/** Reads bytes and keeps the stack. */
export class Unpickler {
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: PickleOptions,
    private at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Follows the instructions, by their numbers, to the one that ends a pickle. */
  run(instructions: Instructions): Unpickled {
    for (;;) {
      const place = this.at;
      const code = this.take(1)[0]!;
      if (code === 0x2e) return { value: this.pop(), end: this.at };
      const instruction = instructions[code];
      if (!instruction) {
        const shown = `0x${code.toString(16).padStart(2, "0")}`;
        throw new PickleError(
          `has at byte ${place} the instruction ${shown}, which is not read: it is damaged, or of a kind that runs code.`,
        );
      }
      instruction(this);
    }
  }

  // ---- bytes

  take(length: number): Uint8Array {
    if (!(length >= 0 && this.at + length <= this.bytes.length))
      throw new PickleError(
        `is cut off: ${length} bytes were to come at byte ${this.at} of ${this.bytes.length}.`,
      );
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(size: 1 | 2 | 4 | 8): number {
    const at = this.at;
    this.take(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at, true);
    if (size === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  signed(): number {
    this.take(4);
    return this.view.getInt32(this.at - 4, true);
  }

  double(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, false);
  }

  integer(length: number): number | bigint {
    const bytes = this.take(length);
    if (length > maxIntegerBytes) throw new PickleError(`has an integer of ${length} bytes.`);
    if (length === 0) return 0;
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * length, value);
    return plainInteger(value);
  }

  line(): string {
    const bytes = this.lineBytes();
    return new TextDecoder("latin1").decode(bytes);
  }

  /** A text of protocol 0: Latin-1, everything else as `\u` and four digits or `\U` and eight. */
  escapedLine(): string {
    return this.line().replace(/\\u([0-9a-f]{4})|\\U000([01][0-9a-f]{4}|[0-9a-f]{5})/gi, (_, four, eight) =>
      String.fromCodePoint(Math.min(Number.parseInt(four ?? eight, 16), 0x10ffff)),
    );
  }

  private lineBytes(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError("is cut off: a line has no end.");
    const bytes = this.take(end - this.at);
    this.at++;
    return bytes;
  }

  text(length: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(length));
    } catch (error) {
      if (error instanceof PickleError) throw error;
      throw new PickleError("has a text that is not UTF-8.");
    }
  }

  /** A decimal number as protocol 0 writes it. */
  decimal(text: string): number | bigint {
    if (!/^[+-]?\d{1,40}L?$/.test(text))
      throw new PickleError(`has ${JSON.stringify(text.slice(0, 40))} for an integer.`);
    return plainInteger(BigInt(text.replace("L", "").replace("+", "")));
  }

  // ---- the stack

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0 || this.stack.at(-1) === mark)
      throw new PickleError("is damaged: an instruction finds nothing to work on.");
    return this.stack.pop();
  }

  peek(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.stack.push(mark);
  }

  sinceMark(): unknown[] {
    const from = this.stack.lastIndexOf(mark);
    if (from < 0) throw new PickleError("is damaged: a list has no beginning.");
    const items = this.stack.splice(from);
    items.shift();
    return items;
  }

  top(): unknown {
    return this.stack.at(-1);
  }

  dropTop(): void {
    if (this.stack.length === 0)
      throw new PickleError("is damaged: an instruction finds nothing to work on.");
    this.stack.pop();
  }

  remember(index: number): void {
    this.memo.set(index, this.peek());
  }

  memoize(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new PickleError(`refers to a value number ${index}, which it has not.`);
    this.push(this.memo.get(index));
  }

  // ---- objects

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    const found = this.options.global(full);
    if (found === undefined)
      throw new PickleError(
        `names the Python object "${full.slice(0, 200)}". Only tensors and plain data are read, since anything else could run code; save the model's state dict, best as safetensors.`,
      );
    this.push(found);
  }

  call(makes: unknown, args: unknown): void {
    if (typeof makes !== "function" || !(args instanceof PickleTuple))
      throw new PickleError("is damaged: it calls something that is no function.");
    try {
      this.push((makes as (...args: readonly unknown[]) => unknown)(...args.items.slice(0, 32)));
    } catch (error) {
      throw new PickleError(`is damaged: ${error instanceof Error ? error.message : error}`);
    }
  }

  persistent(id: unknown): void {
    if (!this.options.persistent) throw new PickleError("refers to data outside of it.");
    try {
      this.push(this.options.persistent(id));
    } catch (error) {
      throw new PickleError(`is damaged: ${error instanceof Error ? error.message : error}`);
    }
  }

  setItems(items: readonly unknown[]): void {
    const target = this.peek();
    if (!(target instanceof Map) || items.length % 2 !== 0)
      throw new PickleError("is damaged: it sets an entry of something that is no dictionary.");
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  append(items: readonly unknown[]): void {
    const target = this.peek();
    if (target instanceof Set) for (const item of items) target.add(item);
    else if (Array.isArray(target)) for (const item of items) target.push(item);
    else throw new PickleError("is damaged: it appends to something that is no list.");
  }
}

const plainInteger = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
