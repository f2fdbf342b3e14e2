/** The parts of ONNX's protocol-buffer schema that the engine reads and writes, by the field numbers of `onnx.proto`. */

import protobuf from "protobufjs/light.js";

const field = (type: string, id: number): protobuf.IField => ({ type, id });
const many = (type: string, id: number): protobuf.IField & { rule: string } => ({
  type,
  id,
  rule: "repeated",
});

const root = protobuf.Root.fromJSON({
  nested: {
    StringStringEntry: { fields: { key: field("string", 1), value: field("string", 2) } },
    Tensor: {
      fields: {
        dims: many("int64", 1),
        dataType: field("int32", 2),
        floatData: many("float", 4),
        int32Data: many("int32", 5),
        stringData: many("bytes", 6),
        int64Data: many("int64", 7),
        name: field("string", 8),
        rawData: field("bytes", 9),
        doubleData: many("double", 10),
        uint64Data: many("uint64", 11),
        externalData: many("StringStringEntry", 13),
        dataLocation: field("int32", 14),
      },
    },
    Dimension: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
    TensorShape: { fields: { dim: many("Dimension", 1) } },
    TensorType: { fields: { elemType: field("int32", 1), shape: field("TensorShape", 2) } },
    Type: { fields: { tensorType: field("TensorType", 1) } },
    ValueInfo: { fields: { name: field("string", 1), type: field("Type", 2) } },
    Attribute: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        t: field("Tensor", 5),
        g: field("Graph", 6),
        floats: many("float", 7),
        ints: many("int64", 8),
        strings: many("bytes", 9),
        tensors: many("Tensor", 10),
        graphs: many("Graph", 11),
        type: field("int32", 20),
        refAttrName: field("string", 21),
      },
    },
    Node: {
      fields: {
        input: many("string", 1),
        output: many("string", 2),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: many("Attribute", 5),
        domain: field("string", 7),
        overload: field("string", 8),
      },
    },
    SparseTensor: { fields: {} },
    Graph: {
      fields: {
        node: many("Node", 1),
        name: field("string", 2),
        initializer: many("Tensor", 5),
        input: many("ValueInfo", 11),
        output: many("ValueInfo", 12),
        valueInfo: many("ValueInfo", 13),
        sparseInitializer: many("SparseTensor", 15),
      },
    },
    OperatorSet: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    Function: { fields: { name: field("string", 1), domain: field("string", 10) } },
    Model: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        producerVersion: field("string", 3),
        graph: field("Graph", 7),
        opsetImport: many("OperatorSet", 8),
        metadataProps: many("StringStringEntry", 14),
        functions: many("Function", 25),
      },
    },
  },
});

const modelType = root.lookupType("Model");
const nodeType = root.lookupType("Node");

/** An integer of 64 bits as it is decoded: a number, or high and low halves. */
export type Integer = number | { toNumber(): number };

/** A decoded `StringStringEntryProto`. */
export interface EntryProto {
  key: string;
  value: string;
}
/** A decoded `TensorProto`. */
export interface TensorProto {
  name: string;
  dims: Integer[];
  dataType: number;
  rawData?: Uint8Array;
  floatData: number[];
  int32Data: number[];
  int64Data: (Integer & { toString(): string })[];
  uint64Data: (Integer & { toString(): string })[];
  doubleData: number[];
  stringData: Uint8Array[];
  externalData: EntryProto[];
  dataLocation: number;
}
/** A decoded `ValueInfoProto`. */
export interface ValueInfoProto {
  name: string;
  type?: {
    tensorType?: { elemType: number; shape?: { dim: { dimValue?: Integer; dimParam?: string }[] } };
  };
}
/** A decoded `AttributeProto`. */
export interface AttributeProto {
  name: string;
  type: number;
  f: number;
  i: Integer;
  s: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats: number[];
  ints: Integer[];
  strings: Uint8Array[];
  tensors: TensorProto[];
  graphs: GraphProto[];
  refAttrName: string;
}
/** A decoded `NodeProto`. */
export interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  domain: string;
  attribute: AttributeProto[];
}
/** A decoded `GraphProto`. */
export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
  sparseInitializer: unknown[];
}
/** A decoded `ModelProto`. */
export interface ModelProto {
  graph?: GraphProto;
  opsetImport: { domain: string; version: Integer }[];
  metadataProps: EntryProto[];
  functions: { name: string; domain: string }[];
}

/** Encodes a model, given as plain data by the schema's field names. */
export const encodeModel = (model: object): Uint8Array => modelType.encode(model).finish();

/** Decodes a model; its bytes are views of those given. Throws on what is no protocol buffer. */
export const decodeModel = (bytes: Uint8Array): ModelProto =>
  modelType.decode(new protobuf.Reader(bytes)) as unknown as ModelProto;

/** Encodes a node. */
export const encodeNode = (node: object): Uint8Array => nodeType.encode(node).finish();

/** Decodes a node. */
export const decodeNode = (bytes: Uint8Array): NodeProto =>
  nodeType.decode(new protobuf.Reader(bytes)) as unknown as NodeProto;

/** A 64-bit integer as a number; beyond 2^53 it is rounded. */
export const toNumber = (x: Integer): number => (typeof x === "number" ? x : x.toNumber());
