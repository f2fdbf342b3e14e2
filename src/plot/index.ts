export * from "./barChart.js";
export { categoryColours, divergingScheme, sequentialScheme } from "./colours.js";
export * from "./heatmap.js";
export * from "./lineChart.js";
export {
  type ChartOptions,
  type Plot,
  plotOf,
  type VegaLiteSpec,
} from "./plot.js";
export * from "./scatter.js";
