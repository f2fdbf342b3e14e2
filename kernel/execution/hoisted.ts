/**
 * `var` in a block, a loop or the like at the top level of a cell. JavaScript declares it for the whole cell, so later
 * cells have it too; the declarations that TypeScript writes of a module hold only what stands at its top.
 */
import type {
  BindingName,
  Bundle,
  Identifier,
  Node,
  Program,
  SourceFile,
  Statement,
  TransformerFactory,
  TypeNode,
} from "typescript";
import { ts } from "./typescript-package.js";

/** The parts of TypeScript that are exported at run time but not declared. */
interface Internals {
  createModuleSpecifierResolutionHost(program: Program, host: object): unknown;
}

/** `typeToTypeNode` with the parameter that it is not declared with: where modules are, for types of packages. */
type WriteType = (
  ...args: [type: unknown, at: Node, flags: number, internal: undefined, tracker: object]
) => TypeNode | undefined;

/** The identifiers that a pattern binds. */
export function boundIdentifiers(name: BindingName): Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : boundIdentifiers(element.name),
  );
}

/** What `var` declares deeper in a file than at its top, but in no function; each name once. */
export function hoistedIdentifiers(file: SourceFile): Identifier[] {
  const atTop = file.statements.filter(ts.isVariableStatement);
  const own = atTop.flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name }) => boundIdentifiers(name)),
  );
  const seen = new Set(own.map(({ text }) => text));
  const found: Identifier[] = [];
  const visit = (node: Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node) || ts.isModuleDeclaration(node))
      return;
    if (ts.isVariableDeclarationList(node) && !(node.flags & ts.NodeFlags.BlockScoped)) {
      for (const identifier of node.declarations.flatMap(({ name }) => boundIdentifiers(name))) {
        if (!seen.has(identifier.text)) found.push(identifier);
        seen.add(identifier.text);
      }
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}

/** As TypeScript writes types into declarations. */
const WRITTEN =
  ts.NodeBuilderFlags.NoTruncation |
  ts.NodeBuilderFlags.MultilineObjectLiterals |
  ts.NodeBuilderFlags.WriteClassExpressionAsTypeLiteral |
  ts.NodeBuilderFlags.UseTypeOfFunction |
  ts.NodeBuilderFlags.UseStructuralFallback |
  ts.NodeBuilderFlags.AllowEmptyTuple |
  ts.NodeBuilderFlags.GenerateNamesForShadowedTypeParams;

/** Adds the hoisted variables of a cell to the declarations that are written of it. */
export function declareHoisted(program: Program, cell: SourceFile): TransformerFactory<SourceFile | Bundle> {
  const checker = program.getTypeChecker();
  const { createModuleSpecifierResolutionHost } = ts as unknown as Internals;
  const host = { getCurrentDirectory: () => program.getCurrentDirectory(), readFile: ts.sys.readFile };
  const tracker = {
    trackSymbol: () => false,
    moduleResolverHost: createModuleSpecifierResolutionHost(program, host),
  };
  const typeOf = (identifier: Identifier): TypeNode | undefined => {
    const symbol = checker.getSymbolAtLocation(identifier);
    return (checker.typeToTypeNode as WriteType)(
      symbol && checker.getTypeOfSymbol(symbol),
      ...[cell, WRITTEN, undefined, tracker],
    );
  };
  return ({ factory }) => {
    const declaration = (identifier: Identifier): Statement => {
      const { text } = identifier;
      const variable = factory.createVariableDeclaration(text, undefined, typeOf(identifier));
      const declare = factory.createModifier(ts.SyntaxKind.DeclareKeyword);
      return factory.createVariableStatement([declare], [variable]);
    };
    return (file) => {
      if (ts.isBundle(file)) return file;
      const hoisted = hoistedIdentifiers(cell).map((identifier) => declaration(identifier));
      return factory.updateSourceFile(file, [...file.statements, ...hoisted]);
    };
  };
}
