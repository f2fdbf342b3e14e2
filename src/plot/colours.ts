/** Colours that readers with any colour vision can tell apart. */

/** Categories: Okabe and Ito, "Color Universal Design" (2008), black left out because it vanishes on dark ground. */
export const categoryColours: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#999999",
];

/** Vega's name of a scheme for values from low to high. */
export const sequentialScheme = "viridis";

/** Vega's name of a scheme for values on both sides of 0: purple above, orange below. */
export const divergingScheme = "purpleorange";

/** The condition of a Vega-Lite colour by which values that are missing, such as NaN, are grey. */
export function missingValue(field: string): { test: string; value: string } {
  return { test: `!isValid(datum.${field})`, value: "#bbbbbb" };
}
