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

/** The global function that the awaits of cells call. */
const AWAITED = "__tslensAwaited__";

/** Defines what the awaits of cells call: it throws a KeyboardInterrupt where the cell is over. */
export function defineAwaited(): void {
  const awaited = (): void => {
    const context = currentContext();
    if (context instanceof Cell && context.stopped) throw new KeyboardInterrupt();
  };
  Object.defineProperty(globalThis, AWAITED, { value: awaited });
}

/**
 * Writes `await x` as `[await x, globalThis.awaited?.()][0]`, and `for await (…) …` as
 * `for await (…) { globalThis.awaited?.(); … }`. The function may be missing: cells send their functions as text to
 * workers and browsers.
 */
export const checkedAwaits: TransformerFactory<SourceFile> = (context) => (file) => {
  const { factory } = context;
  const check = (): Expression => {
    const awaited = factory.createPropertyAccessExpression(factory.createIdentifier("globalThis"), AWAITED);
    const questionDot = factory.createToken(ts.SyntaxKind.QuestionDotToken);
    return factory.createCallChain(awaited, questionDot, undefined, []);
  };
  const checkedBody = (body: Statement): Statement => {
    const first = factory.createExpressionStatement(check());
    return ts.isBlock(body)
      ? factory.updateBlock(body, [first, ...body.statements])
      : ts.setTextRange(factory.createBlock([first, body]), body);
  };
  const visit = (node: Node): Node => {
    const visited = ts.visitEachChild(node, visit, context);
    if (ts.isAwaitExpression(visited)) {
      const both = factory.createArrayLiteralExpression([visited, check()]);
      return ts.setTextRange(factory.createElementAccessExpression(both, 0), node);
    }
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
