import { ts } from "./typescript.js";

/** A string that is being written. */
export interface StringAt {
  /** Where its text begins, in UTF-16 units. */
  readonly start: number;
  /** Its text up to the cursor. */
  readonly text: string;
}

/** The string that a place is in, also where its end is missing. */
export function stringAt(code: string, at: number): StringAt | undefined {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, code);
  for (;;) {
    const token = scanner.scan();
    if (token === ts.SyntaxKind.EndOfFileToken || scanner.getTokenStart() >= at) return undefined;
    const isString =
      token === ts.SyntaxKind.StringLiteral || token === ts.SyntaxKind.NoSubstitutionTemplateLiteral;
    if (!isString) continue;
    const end = scanner.getTokenEnd() - (scanner.isUnterminated() ? 0 : 1);
    if (at <= end) {
      const start = scanner.getTokenStart() + 1;
      return { start, text: code.slice(start, at) };
    }
  }
}
