import { createRequire } from "node:module";

/** What JavaScript calls of ONNX Runtime's native session. */
interface NativeSession {
  loadModel(...model: unknown[]): unknown;
  run(...feeds: unknown[]): unknown;
}

/**
 * Keeps interrupts out of ONNX Runtime. Its calls run on the main thread, and native code that is called from
 * JavaScript which is terminated meanwhile ends the process. This holds for cells that use onnxruntime-node directly, too.
 *
 * @param protect runs a section that an interrupt must not tear
 */
export function protectOnnxRuntime(protect: <T>(section: () => T) => T): void {
  const { binding } = createRequire(import.meta.url)("onnxruntime-node/dist/binding.js") as {
    binding: { InferenceSession: new () => NativeSession };
  };
  binding.InferenceSession = class extends binding.InferenceSession {
    override loadModel(...model: unknown[]): unknown {
      return protect(() => super.loadModel(...model));
    }
    override run(...feeds: unknown[]): unknown {
      return protect(() => super.run(...feeds));
    }
  };
}
