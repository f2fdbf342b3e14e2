/**
 * `{ name }` where a variable of an earlier cell is meant. tslab writes such variables as `exports.name`, but not where
 * the name stands for a property as well.
 */
import type { ShorthandPropertyAssignment, SourceFile, TransformerFactory, TypeChecker } from "typescript";
import { ts } from "./typescript-package.js";

/** tslab's file of what earlier cells have declared. */
const DECLARATIONS = /(?:^|[\\/])__prev__\.d\.ts$/;

/** Writes `{ name }` as `{ name: exports.name }` where an earlier cell has declared the variable. */
export function earlierShorthands(checker: TypeChecker): TransformerFactory<SourceFile> {
  const isEarlier = (node: ShorthandPropertyAssignment): boolean =>
    checker
      .getShorthandAssignmentValueSymbol(node)
      ?.declarations?.some((declaration) => DECLARATIONS.test(declaration.getSourceFile().fileName)) ?? false;
  return (context) => (file) => {
    const { factory } = context;
    const written = (node: ShorthandPropertyAssignment) => {
      const { text } = node.name;
      const variable = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), text);
      const standard = node.objectAssignmentInitializer;
      const value = standard ? factory.createAssignment(variable, standard) : variable;
      return ts.setTextRange(factory.createPropertyAssignment(text, ts.setTextRange(value, node)), node);
    };
    const visit = (node: import("typescript").Node): import("typescript").Node => {
      const visited = ts.visitEachChild(node, visit, context);
      return ts.isShorthandPropertyAssignment(visited) && isEarlier(node as ShorthandPropertyAssignment)
        ? written(visited)
        : visited;
    };
    return ts.visitNode(file, visit) as SourceFile;
  };
}
