export * from "./notebook.js";
