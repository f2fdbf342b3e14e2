import { defineMagic, type Magic } from "../magic.js";
import { UsageError } from "../options.js";

/** Names whose values are not shown when all are listed. */
const SECRET = /TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL/i;

const env: Magic = defineMagic({
  name: "env",
  kind: "line",
  summary: "Lists environment variables, shows one, or sets one for this kernel.",
  usage: "[NAME | NAME=value | NAME value]",
  parsed: false,
  example: "%env HF_HUB_OFFLINE=1",
  typescript: 'process.env.HF_HUB_OFFLINE = "1";',
  run({ line }) {
    if (!line) {
      const names = Object.keys(process.env).sort();
      console.log(names.map((name) => `${name}=${SECRET.test(name) ? "…" : process.env[name]}`).join("\n"));
      return;
    }
    const [, name, , value] = /^(\w+)(\s*=\s*|\s+|$)(.*)$/s.exec(line) ?? [];
    if (!name) throw new UsageError(`%env takes NAME, NAME=value or NAME value, not "${line}".`);
    if (line === name) return process.env[name] ?? null;
    process.env[name] = value!;
  },
  complete: ({ word }) => Object.keys(process.env).filter((name) => name.startsWith(word)),
});

export default env;
