/**
 * SentencePiece's `tokenizer.model` files (Kudo and Richardson 2018), brought to the form of `tokenizer.json` as
 * transformers does for Llama.
 */

import protobuf from "protobufjs/light.js";
import { addedTokens, around, tokenContent } from "./special-tokens.js";

const field = (type: string, id: number): protobuf.IField => ({ type, id });
/** A field of which it must be known whether the file has it: a list of none or one value. */
const optional = (type: string, id: number): protobuf.IField =>
  ({ type, id, rule: "repeated" }) as protobuf.IField;

const root = protobuf.Root.fromJSON({
  nested: {
    Piece: { fields: { piece: field("string", 1), score: field("float", 2), type: field("int32", 3) } },
    Trainer: {
      fields: {
        modelType: optional("int32", 3),
        byteFallback: optional("bool", 35),
        unkId: optional("int32", 40),
        bosId: optional("int32", 41),
        eosId: optional("int32", 42),
      },
    },
    Normalizer: {
      fields: {
        charsmap: optional("bytes", 2),
        addDummyPrefix: optional("bool", 3),
        removeExtraWhitespaces: optional("bool", 4),
      },
    },
    Model: {
      fields: {
        pieces: optional("Piece", 1),
        trainer: field("Trainer", 2),
        normalizer: field("Normalizer", 3),
      },
    },
  },
});

interface Piece {
  readonly piece: string;
  readonly score: number;
  readonly type: number;
}

interface Trainer {
  readonly modelType: number;
  readonly byteFallback: boolean;
  readonly unkId: number;
  readonly bosId: number;
  readonly eosId: number;
}

interface Normalizer {
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
}

type Lists<T> = { readonly [Key in keyof T]?: readonly T[Key][] };

interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly trainer?: Lists<Trainer> | null;
  readonly normalizer?: Lists<Normalizer> | null;
}

/** The defaults of SentencePiece. */
const trainerDefaults: Trainer = { modelType: 1, byteFallback: false, unkId: 0, bosId: 1, eosId: 2 };
const normalizerDefaults: Normalizer = {
  charsmap: new Uint8Array(),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
};

/** Kinds of pieces. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNIGRAM = 1;
const BPE = 2;

const SPACE = "▁";

function decode(bytes: Uint8Array, source: string): SentencePieceModel {
  let model: SentencePieceModel;
  try {
    model = root.lookupType("Model").decode(bytes) as unknown as SentencePieceModel;
  } catch (error) {
    throw new Error(
      `${source} is cut off or no SentencePiece model: ${error instanceof Error ? error.message : error}.`,
    );
  }
  if (model.pieces.length === 0) throw new Error(`${source} is no SentencePiece model: it has no pieces.`);
  return model;
}

/** The last value that the file has of each field, or the default. */
function withDefaults<T extends object>(given: Lists<T> | null | undefined, defaults: T): T {
  const entries = Object.entries(defaults).map(([key, value]) => [
    key,
    given?.[key as keyof T]?.at(-1) ?? value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** A `tokenizer.model` in the form of `tokenizer.json`. */
export function sentencePieceJson(
  bytes: Uint8Array,
  source: string,
  config: Readonly<Record<string, unknown>> = {},
): unknown {
  const model = decode(bytes, source);
  const trainer = withDefaults(model.trainer, trainerDefaults);
  const settings = withDefaults(model.normalizer, normalizerDefaults);
  const pieces = model.pieces.map(({ piece, score, type }) => ({
    piece,
    score: score ?? 0,
    type: type || 1,
  }));
  const vocab = Object.fromEntries(pieces.map(({ piece }, id) => [piece, id]));
  const unknown = pieces.findIndex(({ type }) => type === UNKNOWN);
  const unk = pieces[unknown >= 0 ? unknown : trainer.unkId]?.piece ?? "<unk>";
  const of = (id: number): string | undefined => pieces[id]?.piece;
  const named = {
    ...config,
    bos_token: tokenContent(config.bos_token) ?? of(trainer.bosId),
    eos_token: tokenContent(config.eos_token) ?? of(trainer.eosId),
  };
  const specials = addedTokens(vocab, named);
  pieces.forEach(({ piece, type }, id) => {
    if ((type === CONTROL || type === USER_DEFINED) && !specials.some(({ content }) => content === piece))
      specials.push({ id, content: piece, special: type === CONTROL });
  });
  const bos = named.bos_token;
  const addsBos = config.add_bos_token !== false && bos !== undefined && Object.hasOwn(vocab, bos);
  const eos = named.eos_token;
  const addsEos =
    (config.add_eos_token === true || /^T5/.test(String(config.tokenizer_class))) &&
    eos !== undefined &&
    Object.hasOwn(vocab, eos);
  return {
    added_tokens: specials.filter(({ content }) => content !== unk),
    normalizer: normalizerOf(settings),
    pre_tokenizer: null,
    post_processor: around(vocab, addsBos ? [bos] : [], addsEos ? [eos] : []),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(settings.addDummyPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: modelOf(pieces, vocab, unk, trainer, source),
  };
}

function normalizerOf(settings: Normalizer): unknown {
  const steps: unknown[] = [];
  if (settings.charsmap.length > 0)
    steps.push({ type: "Precompiled", charsmap: settings.charsmap, step: "longest" });
  if (settings.removeExtraWhitespaces) {
    steps.push({ type: "Strip", strip_left: true, strip_right: true });
    steps.push({ type: "Replace", pattern: { Regex: " {2,}" }, content: " " });
  }
  // Not "Prepend", which the library does to an empty text too.
  if (settings.addDummyPrefix)
    steps.push({ type: "Replace", pattern: { Regex: "(?<![\\s\\S])(?=[\\s\\S])" }, content: SPACE });
  steps.push({ type: "Replace", pattern: { String: " " }, content: SPACE });
  return { type: "Sequence", normalizers: steps };
}

function modelOf(
  pieces: readonly Piece[],
  vocab: Readonly<Record<string, number>>,
  unk: string,
  trainer: Trainer,
  source: string,
): unknown {
  if (trainer.modelType === UNIGRAM)
    return {
      type: "Unigram",
      unk_id: vocab[unk],
      vocab: pieces.map(({ piece, score }) => [piece, score]),
      byte_fallback: trainer.byteFallback,
    };
  if (trainer.modelType === BPE)
    return {
      type: "BPE",
      unk_token: unk,
      fuse_unk: true,
      byte_fallback: trainer.byteFallback,
      vocab,
      merges: mergesOf(pieces),
    };
  throw new Error(
    `${source} is a SentencePiece model of type ${trainer.modelType}; unigram (1) and BPE (2) are read.`,
  );
}

/** The merges that give each piece, in the order of the pieces' scores: SentencePiece keeps the result only. */
function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  const merges: { pair: [string, string]; score: number; order: [number, number] }[] = [];
  for (const { piece, score, type } of pieces) {
    if (type !== 1) continue;
    const characters = Array.from(piece);
    for (let at = 1; at < characters.length; at++) {
      const pair: [string, string] = [characters.slice(0, at).join(""), characters.slice(at).join("")];
      const order = pair.map((part) => ids.get(part));
      if (order.every((id) => id !== undefined))
        merges.push({ pair, score, order: order as [number, number] });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.order[0] - b.order[0] || a.order[1] - b.order[1]);
  return merges.map(({ pair }) => pair);
}
