import { DISPLAY, type MimeBundle, mimeBundle } from "../../display/mime.js";
import { defineMagic, type Magic, type MagicContext } from "../magic.js";
import { UsageError } from "../options.js";

/** What a captured cell wrote and displayed. */
export interface CapturedOutput {
  readonly stdout: string;
  readonly stderr: string;
  /** The MIME bundles of what was displayed, the value of the cell last. */
  readonly outputs: readonly MimeBundle[];
}

/** Where the captured output stands for the code that declares its variable. */
const SLOT = "__tslensCaptured__";
const TYPE = "{ stdout: string; stderr: string; outputs: Record<string, unknown>[] }";

const magic: Magic = defineMagic({
  name: "capture",
  kind: "cell",
  summary:
    "Runs the cell and keeps what it writes and displays from the notebook, in a variable where one is named.",
  usage: "[<variable>]",
  example: '%%capture output\nconsole.log("kept")',
  typescript: "// what is captured: output.stdout, output.stderr and output.outputs, a list of MIME bundles",
  async run(context) {
    const { words, execute } = context;
    const [name] = words;
    if (name !== undefined && !/^[A-Za-z_$][\w$]*$/.test(name))
      throw new UsageError(`%%capture keeps the output in a variable; "${name}" is not the name of one.`);
    if (words.length > 1)
      throw new UsageError(`%%capture takes one variable, not ${words.length}: ${words.join(" ")}.`);
    const output = await captured(context);
    if (name === undefined) return;
    Object.assign(globalThis, { [SLOT]: output });
    await execute(`const ${name} = (globalThis as any).${SLOT} as ${TYPE};`);
  },
});

export default magic;

async function captured({ body, execute, capture }: MagicContext): Promise<CapturedOutput> {
  const text = { stdout: "", stderr: "" };
  let outputs: MimeBundle[] = [];
  const end = capture((type, content) => {
    if (type === "stream") text[content.name as "stdout" | "stderr"] += String(content.text);
    else if (type === "clear_output") outputs = [];
    else outputs.push(content.data as MimeBundle);
  });
  try {
    const bundle = await mimeBundle(await execute(`\n${body}`));
    if (bundle) outputs.push(bundle);
  } finally {
    end();
  }
  const display = (): MimeBundle => ({
    "text/plain": [text.stdout, text.stderr, ...outputs.map((bundle) => String(bundle["text/plain"] ?? ""))]
      .filter(Boolean)
      .join("\n"),
  });
  return Object.defineProperty({ ...text, outputs }, DISPLAY, { value: display });
}
