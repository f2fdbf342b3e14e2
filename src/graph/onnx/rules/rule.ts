import type { Value } from "../../value.js";
import type { NodeView } from "../node.js";

/**
 * How a node of an operator is written in the table's words: its outputs, in their order, or nothing where it must be
 * kept as it is.
 */
export type Rule = (at: NodeView) => Value | readonly (Value | undefined)[] | undefined;

/** Rules by operator; those of other domains have the domain in front. */
export type Rules = Readonly<Record<string, Rule>>;
