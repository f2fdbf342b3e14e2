/**
 * Awaits at which an interrupted cell ends.
 *
 * What a cell awaits may come after it has been interrupted: a file that is read, an answer of a server. JavaScript
 * would go on then, beside the next cell. Here each `await` looks whether the cell is over.
 */
import type { Expression, Node, SourceFile, Statement, TransformerFactory } from "typescript";
import { KeyboardInterrupt } from "../protocol/keyboard-interrupt.js";
import { Cell } from "./cell.js";
import { currentContext } from "./context.js";
import { ts } from "./typescript-package.js";

/** The global function that stands around the awaits of cells. */
const AWAITED = "__tslensAwaited__";

/** Defines what the awaits of cells call. */
export function defineAwaited(): void {
  const awaited = (value: unknown): unknown => {
    const context = currentContext();
    if (context instanceof Cell && context.stopped) throw new KeyboardInterrupt();
    return value;
  };
  Object.defineProperty(globalThis, AWAITED, { value: awaited });
}

/** Writes `await x` as `awaited(await x)`, and `for await (…) …` as `for await (…) { awaited(); … }`. */
export const checkedAwaits: TransformerFactory<SourceFile> = (context) => (file) => {
  const { factory } = context;
  const call = (...values: Expression[]): Expression =>
    factory.createCallExpression(factory.createIdentifier(AWAITED), undefined, values);
  const checkedBody = (body: Statement): Statement => {
    const check = factory.createExpressionStatement(call());
    return ts.isBlock(body)
      ? factory.updateBlock(body, [check, ...body.statements])
      : ts.setTextRange(factory.createBlock([check, body]), body);
  };
  const visit = (node: Node): Node => {
    const visited = ts.visitEachChild(node, visit, context);
    if (ts.isAwaitExpression(visited)) return ts.setTextRange(call(visited), node);
    if (!ts.isForOfStatement(visited) || !visited.awaitModifier) return visited;
    const { awaitModifier, initializer, expression, statement } = visited;
    return factory.updateForOfStatement(
      visited,
      awaitModifier,
      initializer,
      expression,
      checkedBody(statement),
    );
  };
  return ts.visitNode(file, visit) as SourceFile;
};
