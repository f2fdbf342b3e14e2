/** tslens: language models as graphs with named points, and the techniques that read and change them. */

export * from "./array/index.js";
export { Expression } from "./graph/index.js";
export * from "./methods/index.js";
export { type LabelledText, newClassifier, type TextClassifier } from "./model/classifier.js";
export * from "./model/index.js";
export { type LanguageModel, newLanguageModel, saveLanguageModel } from "./model/language-model.js";
export { barChart, heatmap, lineChart, type Plot, scatter } from "./plot/index.js";
export { display, type Host, type Progress, setHost } from "./runtime/host.js";
