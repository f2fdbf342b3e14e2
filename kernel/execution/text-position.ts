/** Jupyter counts code points, JavaScript counts UTF-16 units. */

/** The UTF-16 offset of a place given in code points. */
export function toUtf16(text: string, codePoints: number): number {
  let units = 0;
  for (let seen = 0; seen < codePoints && units < text.length; seen++) {
    units += text.codePointAt(units)! > 0xffff ? 2 : 1;
  }
  return units;
}

/** The place of a UTF-16 offset, in code points. */
export function toCodePoints(text: string, units: number): number {
  let seen = 0;
  for (let at = 0; at < units && at < text.length; seen++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return seen;
}
