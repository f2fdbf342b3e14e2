/**
 * Variables that later cells reassign, seen by the functions of the cells that declare them.
 *
 * TypeScript copies an exported `let` to `exports` at each of its assignments, but the code beside it reads the local
 * one; a later cell that assigns to `exports` would change the copy alone. Here `exports` gets an accessor instead.
 */
import type {
  ConciseBody,
  ExportDeclaration,
  ExpressionStatement,
  Identifier,
  NamedExports,
  ParameterDeclaration,
  SourceFile,
  Statement,
  TransformationContext,
  TransformerFactory,
  VariableStatement,
} from "typescript";
import { boundIdentifiers, hoistedIdentifiers } from "./hoisted.js";
import { ts } from "./typescript-package.js";

/** Makes the exported `let` and `var` of an ES module accessors of `exports`; `onNames` gets all exported names. */
export function liveVariables(onNames: (names: readonly string[]) => void): TransformerFactory<SourceFile> {
  return (context) => {
    const { factory } = context;
    return (file) => {
      const exported = new Set(file.statements.filter(isExportList).flatMap(exportedNames));
      onNames([...exported]);
      const live = new Set<string>();
      const accessors = (identifiers: readonly Identifier[]): Statement[] => {
        const names = identifiers.map(({ text }) => text).filter((name) => exported.has(name));
        for (const name of names) live.add(name);
        return names.map((name) => accessor(name, context));
      };
      const hoisted = accessors(hoistedIdentifiers(file));
      const statements = file.statements.flatMap((statement) => {
        if (!isReassignable(statement)) return [statement];
        const { declarations } = statement.declarationList;
        return [statement, ...accessors(declarations.flatMap(({ name }) => boundIdentifiers(name)))];
      });
      const rest = [...hoisted, ...statements].map((statement) => {
        if (!isExportList(statement)) return statement;
        const kept = statement.exportClause.elements.filter(({ name }) => !live.has(name.text));
        const clause = factory.updateNamedExports(statement.exportClause, kept);
        return factory.updateExportDeclaration(
          statement,
          statement.modifiers,
          statement.isTypeOnly,
          clause,
          statement.moduleSpecifier,
          statement.attributes,
        );
      });
      return factory.updateSourceFile(file, rest);
    };
  };
}

type ExportList = ExportDeclaration & { readonly exportClause: NamedExports };

/** Whether it is `export { a, b }`, of names of the module itself. */
function isExportList(node: Statement): node is ExportList {
  return (
    ts.isExportDeclaration(node) &&
    !node.moduleSpecifier &&
    node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause)
  );
}

function exportedNames({ exportClause }: ExportList): string[] {
  return exportClause.elements.filter(({ propertyName }) => !propertyName).map(({ name }) => name.text);
}

function isReassignable(node: Statement): node is VariableStatement {
  return (
    ts.isVariableStatement(node) &&
    !node.modifiers?.length &&
    !(node.declarationList.flags & ts.NodeFlags.Constant)
  );
}

/** `Object.defineProperty(exports, "x", { get: () => x, set: (value) => { x = value; }, … });` */
function accessor(name: string, { factory: f }: TransformationContext): ExpressionStatement {
  const value = f.createUniqueName("value");
  const arrow = (parameters: ParameterDeclaration[], body: ConciseBody) =>
    f.createArrowFunction(undefined, undefined, parameters, undefined, undefined, body);
  const assignment = f.createExpressionStatement(f.createAssignment(f.createIdentifier(name), value));
  const descriptor = f.createObjectLiteralExpression([
    f.createPropertyAssignment("configurable", f.createTrue()),
    f.createPropertyAssignment("enumerable", f.createTrue()),
    f.createPropertyAssignment("get", arrow([], f.createIdentifier(name))),
    f.createPropertyAssignment(
      "set",
      arrow([f.createParameterDeclaration(undefined, undefined, value)], f.createBlock([assignment])),
    ),
  ]);
  const define = f.createPropertyAccessExpression(f.createIdentifier("Object"), "defineProperty");
  const call = f.createCallExpression(define, undefined, [
    f.createIdentifier("exports"),
    f.createStringLiteral(name),
    descriptor,
  ]);
  return f.createExpressionStatement(call);
}
