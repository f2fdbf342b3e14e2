import type { CallExpression, NewExpression, Node, SourceFile } from "typescript";
import { ts } from "./typescript.js";

/**
 * The place whose documentation a reader wants: the name under the cursor; between the parentheses of a call, where
 * there is no name, that of the function.
 *
 * @param at in UTF-16 units
 */
export function inspectedPlace(code: string, at: number): number {
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.Latest);
  for (const place of [at, at - 1]) if (isName(file, place)) return place;
  const call = innermostCall(file, at);
  return call ? call.expression.getEnd() - 1 : at;
}

/** Whether there is a name, or a word such as `const`, at a place; one inside a string is none. */
function isName(file: SourceFile, place: number): boolean {
  if (!/[\w$\p{L}]/u.test(file.text.charAt(place))) return false;
  const within = (node: Node): boolean => node.getStart(file) <= place && place < node.getEnd();
  const text = (node: Node): boolean =>
    (ts.isLiteralExpression(node) && within(node)) ||
    Boolean(ts.forEachChild(node, (child) => within(child) && text(child)));
  return !text(file);
}

/** The innermost call between whose parentheses a place is. */
function innermostCall(file: SourceFile, at: number): CallExpression | NewExpression | undefined {
  let found: CallExpression | NewExpression | undefined;
  const visit = (node: Node): void => {
    if (at < node.getFullStart() || at > node.getEnd()) return;
    const open = (ts.isCallExpression(node) || ts.isNewExpression(node)) && node.arguments;
    const closed = open && file.text[node.getEnd() - 1] === ")" && at === node.getEnd();
    if (open && !closed && at >= open.pos) found = node;
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
