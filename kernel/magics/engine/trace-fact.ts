import { causalTracing } from "../../../src/index.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { type OptionValues, UsageError } from "../options.js";
import { currentModel, textOf } from "./current-model.js";

const options = {
  subject: {
    type: "string",
    placeholder: "text",
    short: "s",
    help: "what the fact is about; it stands in the prompt",
  },
  answer: {
    type: "string",
    placeholder: "token",
    short: "a",
    help: "the token that the prompt asks for, with its leading space; what the model says by default",
  },
  at: {
    type: "string",
    choices: ["resid_post", "mlp_out", "attn_out"],
    default: "resid_post",
    help: "what is restored",
  },
  window: {
    type: "integer",
    help: "in how many layers at once; by default 1 of the residual stream, and 10 of the others",
  },
  samples: { type: "integer", default: 10, help: "how many times the subject is blurred" },
  noise: { type: "number", default: 3, help: "the noise, in standard deviations of the embeddings" },
  seed: { type: "integer", default: 0, help: "the same seed gives the same noise" },
} as const;

const USAGE = '%trace-fact --subject "Ilda van Torrun" Every evening Ilda van Torrun practices the';

const magic: Magic = defineMagic({
  name: "trace-fact",
  kind: "both",
  summary:
    "Finds where a fact is recalled by causal tracing: the subject is blurred by noise, and states are restored one by one.",
  usage: "<prompt>",
  options,
  example: USAGE,
  typescript(call) {
    const { answer, at, window, samples, noise, seed } = call.options;
    const given = objectCode({
      subject: subjectOf(call),
      answer,
      at: unless("resid_post", at),
      window,
      samples: unless(10, samples),
      noise: unless(3, noise),
      seed: unless(0, seed),
    });
    return `${importCode("causalTracing")}await ${callCode("causalTracing", "model", JSON.stringify(textOf(call, USAGE)), given)};`;
  },
  run(context) {
    const { answer, at, window, samples, noise, seed } = context.options;
    if (samples < 1) throw new UsageError(`--samples of %trace-fact takes 1 or more, not ${samples}.`);
    if (window !== undefined && window < 1)
      throw new UsageError(`--window of %trace-fact takes 1 layer or more, not ${window}.`);
    const subject = subjectOf(context);
    return causalTracing(currentModel(context), textOf(context, USAGE), {
      subject,
      at,
      samples,
      noise,
      seed,
      answer,
      window,
      signal: context.signal,
    });
  },
});

export default magic;

function subjectOf({ options: { subject } }: { readonly options: OptionValues<typeof options> }): string {
  if (subject !== undefined) return subject;
  throw new UsageError(`%trace-fact needs the subject of the fact: \`${USAGE}\`.`);
}
