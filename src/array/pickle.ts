/**
 * Reading Python pickles without Python (https://docs.python.org/3/library/pickletools.html). A pickle is a program:
 * this one's instructions build plain data, and the few objects that the caller allows are made by functions of the
 * caller. Nothing in a file can name a function that runs.
 */

import {
  type Instructions,
  type PickleDict,
  PickleError,
  type PickleOptions,
  PickleTuple,
  type Unpickled,
  Unpickler,
} from "./unpickler.js";

export { type PickleDict, type PickleOptions, PickleTuple, type Unpickled } from "./unpickler.js";

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
    return reader.run(instructions);
  } catch (error) {
    if (error instanceof PickleError) throw new Error(`${source} ${error.message}`);
    throw error;
  }
}

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
const instructions: Instructions = {
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
