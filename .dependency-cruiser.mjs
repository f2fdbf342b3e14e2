/** The import directions: a folder may import itself and what stands below it. */
const layers = {
  "^src/array": ["src/array"],
  "^src/graph": ["src/array", "src/graph"],
  "^src/runtime": ["src/array", "src/graph", "src/runtime"],
  "^src/train": ["src/array", "src/graph", "src/runtime", "src/train"],
  "^src/model": ["src/array", "src/graph", "src/runtime", "src/train", "src/model"],
  "^src/plot": ["src/array", "src/plot"],
  "^src/tasks": ["src/array", "src/graph", "src/runtime", "src/train", "src/model", "src/tasks"],
  "^src/(methods|sae|circuits)/": ["src/", "!src/index"],
  "^src/": ["src/"],
  "^widgets/": ["widgets/"],
  "^kernel/": ["kernel/", "widgets/", "src/"],
};

const directions = Object.entries(layers).map(([from, allowed]) => ({
  name: `${from.replace(/[\^()]/g, "")} imports downwards only`,
  severity: "error",
  from: { path: from },
  to: {
    path: "^(src|kernel|widgets|test|bench|models|notebooks)/",
    pathNot: allowed.filter((path) => !path.startsWith("!")).map((path) => `^${path}`),
  },
}));

export default {
  forbidden: [
    ...directions,
    {
      name: "no cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "comms and core widgets could be any kernel's",
      severity: "error",
      from: { path: "^kernel/comms/" },
      to: {
        path: "^(src|kernel|widgets)/",
        pathNot: ["^kernel/comms/", "^kernel/protocol/message\\.ts$", "^widgets/host\\.ts$"],
      },
    },
    {
      name: "files are read in src/array/files.ts only",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/array/files\\.ts$|^src/runtime/ort\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "ONNX Runtime is called in src/runtime/ort.ts only",
      severity: "error",
      from: { path: "^(src|kernel|widgets)/", pathNot: "^src/runtime/ort\\.ts$" },
      to: { path: "onnxruntime" },
    },
    {
      name: "techniques know the model, not each other's insides",
      severity: "error",
      from: { path: "^src/(methods|sae|circuits)/" },
      to: { path: "^src/(methods|sae|circuits)/", pathNot: ["^src/$1/", "/index\\.ts$"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(widgets/(lib|dist|labextension)|dist)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".d.ts"],
    },
  },
};
