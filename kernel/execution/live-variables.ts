/**
 * Variables that later cells reassign, seen by the functions of the cells that declare them.
 *
 * TypeScript copies an exported `let` to `exports` at each of its assignments, but the code beside it reads the local
 * one; a later cell that assigns to `exports` would change the copy alone. Here `exports` gets an accessor instead.
 * Functions get one too: one that a later cell declares anew is, as in scripts, the one that all call from then on.
 */
import type {
  ArrowFunction,
  ExportDeclaration,
  Expression,
  ExpressionStatement,
  Identifier,
  NamedExports,
  SourceFile,
  Statement,
  TransformationContext,
  TransformerFactory,
  VariableStatement,
} from "typescript";
import { boundIdentifiers, hoistedIdentifiers } from "./hoisted.js";
import { ts } from "./typescript-package.js";

/** What a cell declares at its top level. */
export interface Declared {
  readonly names: readonly string[];
  /** Those of the names that are functions, by `function`. */
  readonly functions: readonly string[];
}

/**
 * Makes the exported `let`, `var` and `function` of an ES module accessors of `exports`.
 *
 * @param onDeclared gets what the module exports
 */
export function liveVariables(onDeclared: (declared: Declared) => void): TransformerFactory<SourceFile> {
  return (context) => (file) => {
    const exported = new Set(file.statements.filter(isExportList).flatMap(exportedNames));
    const own = (identifiers: readonly Identifier[]): string[] =>
      identifiers.map(({ text }) => text).filter((name) => exported.has(name));
    const functions = own(file.statements.flatMap((statement) => functionName(statement) ?? []));
    const hoisted = own(hoistedIdentifiers(file));
    onDeclared({ names: [...exported], functions });
    const live = new Set([...functions, ...hoisted]);
    const statements = file.statements.flatMap((statement) => {
      if (!isReassignable(statement)) return [statement];
      const { declarations } = statement.declarationList;
      const names = own(declarations.flatMap(({ name }) => boundIdentifiers(name)));
      for (const name of names) live.add(name);
      return [statement, ...names.map((name) => accessor(name, setter(name, context), context))];
    });
    return context.factory.updateSourceFile(file, [
      ...functions.flatMap((name) => linkedAccessor(name, context)),
      ...hoisted.map((name) => accessor(name, setter(name, context), context)),
      ...statements.map((statement) => withoutExports(statement, live, context)),
    ]);
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

function withoutExports(
  statement: Statement,
  names: ReadonlySet<string>,
  { factory }: TransformationContext,
): Statement {
  if (!isExportList(statement)) return statement;
  const { exportClause, modifiers, isTypeOnly, moduleSpecifier, attributes } = statement;
  const kept = exportClause.elements.filter(({ name }) => !names.has(name.text));
  const clause = factory.updateNamedExports(exportClause, kept);
  return factory.updateExportDeclaration(
    statement,
    modifiers,
    isTypeOnly,
    clause,
    moduleSpecifier,
    attributes,
  );
}

function functionName(node: Statement): Identifier | undefined {
  return ts.isFunctionDeclaration(node) && node.body ? node.name : undefined;
}

function isReassignable(node: Statement): node is VariableStatement {
  return (
    ts.isVariableStatement(node) &&
    !node.modifiers?.length &&
    !(node.declarationList.flags & ts.NodeFlags.Constant)
  );
}

/** `(value) => { x = value; }`; with a name it returns that: `(value) => { x = value; return set; }` */
function setter(name: string, { factory: f }: TransformationContext, ownName?: Identifier): ArrowFunction {
  const value = f.createUniqueName("value");
  const assignment = f.createExpressionStatement(f.createAssignment(f.createIdentifier(name), value));
  const body = f.createBlock([assignment, ...(ownName ? [f.createReturnStatement(ownName)] : [])]);
  const parameter = f.createParameterDeclaration(undefined, undefined, value);
  return f.createArrowFunction(undefined, undefined, [parameter], undefined, undefined, body);
}

/**
 * The accessor of a function: `const set = (value) => { f = value; return set; };`, and the accessor with that setter.
 *
 * The setter is a variable of the cell that a function of the cell uses, so it lives just as long as some function of
 * the cell does that may call `f`: whoever holds it weakly holds it as long as it can be of use.
 */
function linkedAccessor(name: string, context: TransformationContext): Statement[] {
  const { factory: f } = context;
  const set = f.createUniqueName("set");
  const declaration = f.createVariableDeclaration(set, undefined, undefined, setter(name, context, set));
  const declarations = f.createVariableDeclarationList([declaration], ts.NodeFlags.Const);
  return [f.createVariableStatement(undefined, declarations), accessor(name, set, context)];
}

/** `Object.defineProperty(exports, "x", { get: () => x, set, … });` */
function accessor(name: string, set: Expression, { factory: f }: TransformationContext): ExpressionStatement {
  const get = f.createArrowFunction(undefined, undefined, [], undefined, undefined, f.createIdentifier(name));
  const descriptor = f.createObjectLiteralExpression([
    f.createPropertyAssignment("configurable", f.createTrue()),
    f.createPropertyAssignment("enumerable", f.createTrue()),
    f.createPropertyAssignment("get", get),
    f.createPropertyAssignment("set", set),
  ]);
  const define = f.createPropertyAccessExpression(f.createIdentifier("Object"), "defineProperty");
  const call = f.createCallExpression(define, undefined, [
    f.createIdentifier("exports"),
    f.createStringLiteral(name),
    descriptor,
  ]);
  return f.createExpressionStatement(call);
}
