/**
 * Reading Python pickles without Python (https://docs.python.org/3/library/pickletools.html). A pickle is a program:
 * this one's instructions build plain data, and the few objects that the caller allows are made by functions of the
 * caller. Nothing in a file can name a function that runs.
 */

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

/**
 * Reads one pickle of protocol 0 to 5.
 *
 * @throws Error naming the source and what is wrong: a name that is not allowed, an instruction that is not known, data
 * that are cut off.
 */
export function unpickle(bytes: Uint8Array, options: PickleOptions, start = 0): Unpickled {
  const source = options.source ?? "The pickle";
  const reader = new Unpickler(bytes, options, start);
  try {
    return reader.run();
  } catch (error) {
    if (error instanceof PickleError) throw new Error(`${source} ${error.message}`);
    throw error;
  }
}

class PickleError extends Error {}

class Unpickler {
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

  run(): Unpickled {
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

function asDict(items: readonly unknown[]): PickleDict {
  const dict: PickleDict = new Map();
  for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1]);
  return dict;
}

function tupleOf(reader: Unpickler, count: number): void {
  const items = Array.from({ length: count }, () => reader.pop()).reverse();
  reader.push(new PickleTuple(items));
}

function calls(reader: Unpickler): void {
  const args = reader.pop();
  reader.call(reader.pop(), args);
}

/** The instructions by their numbers; those that are not here are refused. */
const instructions: Readonly<Record<number, (reader: Unpickler) => void>> = {
  128: (r) => void r.take(1), // PROTO
  149: (r) => void r.take(8), // FRAME
  40: (r) => r.mark(), // MARK
  48: (r) => r.dropTop(), // POP
  49: (r) => void r.sinceMark(), // POP_MARK
  50: (r) => r.push(r.peek()), // DUP
  // constants
  78: (r) => r.push(null), // NONE
  136: (r) => r.push(true), // NEWTRUE
  137: (r) => r.push(false), // NEWFALSE
  73: (r) => {
    // INT
    const text = r.line();
    r.push(text === "01" ? true : text === "00" ? false : r.decimal(text));
  },
  76: (r) => r.push(r.decimal(r.line())), // LONG
  70: (r) => r.push(Number(r.line())), // FLOAT
  74: (r) => r.push(r.signed()), // BININT
  75: (r) => r.push(r.number(1)), // BININT1
  77: (r) => r.push(r.number(2)), // BININT2
  138: (r) => r.push(r.integer(r.number(1))), // LONG1
  139: (r) => r.push(r.integer(r.signed())), // LONG4
  71: (r) => r.push(r.double()), // BINFLOAT
  // texts and bytes
  83: (r) => r.push(r.line().replace(/^(['"])(.*)\1$/s, "$2")), // STRING
  86: (r) => r.push(r.escapedLine()), // UNICODE
  84: (r) => r.push(r.text(r.signed())), // BINSTRING
  85: (r) => r.push(r.text(r.number(1))), // SHORT_BINSTRING
  88: (r) => r.push(r.text(r.number(4))), // BINUNICODE
  140: (r) => r.push(r.text(r.number(1))), // SHORT_BINUNICODE
  141: (r) => r.push(r.text(r.number(8))), // BINUNICODE8
  66: (r) => r.push(r.take(r.number(4))), // BINBYTES
  67: (r) => r.push(r.take(r.number(1))), // SHORT_BINBYTES
  142: (r) => r.push(r.take(r.number(8))), // BINBYTES8
  150: (r) => r.push(r.take(r.number(8))), // BYTEARRAY8
  // collections
  41: (r) => r.push(new PickleTuple([])), // EMPTY_TUPLE
  116: (r) => r.push(new PickleTuple(r.sinceMark())), // TUPLE
  133: (r) => tupleOf(r, 1), // TUPLE1
  134: (r) => tupleOf(r, 2), // TUPLE2
  135: (r) => tupleOf(r, 3), // TUPLE3
  93: (r) => r.push([]), // EMPTY_LIST
  108: (r) => r.push(r.sinceMark()), // LIST
  125: (r) => r.push(new Map()), // EMPTY_DICT
  100: (r) => r.push(asDict(r.sinceMark())), // DICT
  143: (r) => r.push(new Set()), // EMPTY_SET
  145: (r) => r.push(new Set(r.sinceMark())), // FROZENSET
  97: (r) => r.append([r.pop()]), // APPEND
  101: (r) => r.append(r.sinceMark()), // APPENDS
  144: (r) => r.append(r.sinceMark()), // ADDITEMS
  115: (r) => {
    // SETITEM
    const value = r.pop();
    const key = r.pop();
    r.setItems([key, value]);
  },
  117: (r) => r.setItems(r.sinceMark()), // SETITEMS
  // values met before
  113: (r) => r.remember(r.number(1)), // BINPUT
  114: (r) => r.remember(r.number(4)), // LONG_BINPUT
  112: (r) => r.remember(Number(r.decimal(r.line()))), // PUT
  148: (r) => r.memoize(), // MEMOIZE
  104: (r) => r.recall(r.number(1)), // BINGET
  106: (r) => r.recall(r.number(4)), // LONG_BINGET
  103: (r) => r.recall(Number(r.decimal(r.line()))), // GET
  // objects
  99: (r) => {
    // GLOBAL
    const module = r.line();
    r.global(module, r.line());
  },
  147: (r) => {
    // STACK_GLOBAL
    const name = r.pop();
    r.global(String(r.pop()), String(name));
  },
  82: calls, // REDUCE
  129: calls, // NEWOBJ
  81: (r) => r.persistent(r.pop()), // BINPERSID
  80: (r) => r.persistent(r.line()), // PERSID
  // The state of an object beyond its items, such as a state dict's versions, is of no use here.
  98: (r) => void r.pop(), // BUILD
};
