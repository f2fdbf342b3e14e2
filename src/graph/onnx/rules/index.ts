/** How ONNX's operators are written in the table's words. */

import type { NodeView } from "../node.js";
import { convolutionRules } from "./convolution.js";
import { elementwiseRules } from "./elementwise.js";
import { productRules } from "./product.js";
import { recurrenceRules } from "./recurrence.js";
import { reduceRules } from "./reduce.js";
import type { Rule, Rules } from "./rule.js";
import { shapeRules } from "./shape.js";

const rules: Rules = {
  ...elementwiseRules,
  ...reduceRules,
  ...productRules,
  ...shapeRules,
  ...convolutionRules,
  ...recurrenceRules,
};

/** The rule for a node, if there is one. */
export function ruleFor({ node }: NodeView): Rule | undefined {
  const key = node.domain === "" ? node.type : `${node.domain}.${node.type}`;
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
}
