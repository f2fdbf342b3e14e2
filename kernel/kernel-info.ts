import { ts } from "./execution/typescript.js";
import { packageJson } from "./package.js";
import { type Json, PROTOCOL_VERSION } from "./protocol/message.js";

/** The content of a `kernel_info_reply`. */
export function kernelInfo(): Json {
  const { version } = packageJson;
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "tslens",
    implementation_version: version,
    banner: `tslens ${version} · TypeScript ${ts.version} on Node ${process.versions.node}`,
    debugger: false,
    supported_features: [],
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Node", url: "https://nodejs.org/api/" },
    ],
    language_info: {
      name: "typescript",
      version: ts.version,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      // A string: strict clients fail on an object.
      codemirror_mode: "typescript",
      nbconvert_exporter: "script",
    },
  };
}
