import { steeringControls, steeringPoints } from "../../views/steering-controls.js";
import { callCode, importCode, objectCode, unless } from "../code.js";
import { defineMagic, type Magic } from "../magic.js";
import { currentModel, pointNames, textOf } from "./current-model.js";

const magic: Magic = defineMagic({
  name: "steer",
  kind: "both",
  summary: "Shows controls that steer the model's continuation of a text.",
  usage: "<prompt>",
  options: {
    towards: { type: "string", placeholder: "text", help: "a text that has what is wanted" },
    away: { type: "string", placeholder: "text", help: "a text that has it not" },
    token: { type: "string", help: "steer towards one token instead, with its leading space" },
    point: {
      type: "string",
      placeholder: "name",
      help: "where the direction is added; the middle layer by default",
    },
    coefficient: { type: "number", default: 2, short: "c", help: "what the direction is multiplied by" },
    maxNewTokens: { type: "integer", default: 20, short: "n", help: "length of the continuations" },
    temperature: { type: "number", default: 0, help: "0 takes the likeliest token" },
    seed: { type: "integer", default: 0, help: "the same seed gives the same text" },
  },
  example: '%steer --towards "It was wonderful." --away "It was terrible." The cake was',
  typescript(call) {
    const { towards, away, token, point, coefficient, maxNewTokens, temperature, seed } = call.options;
    const options = objectCode({
      prompt: textOf(call, "%steer The cake was"),
      towards,
      awayFrom: away,
      direction: token === undefined ? undefined : { kind: "unembedding", values: { token } },
      point,
      coefficient,
      maxNewTokens: unless(20, maxNewTokens),
      temperature: unless(0, temperature),
      seed: unless(0, seed),
    });
    return `${importCode("steeringControls", "tslens/widgets")}${callCode("steeringControls", "model", options)};`;
  },
  run(context) {
    const { towards, away, token, point, ...numbers } = context.options;
    const model = currentModel(context);
    return steeringControls(model, {
      ...numbers,
      prompt: textOf(context, "%steer The cake was"),
      point: point === undefined ? undefined : model.pointName(point),
      towards,
      awayFrom: away,
      direction: token === undefined ? undefined : { kind: "unembedding", values: { token } },
    });
  },
  complete: (request) => (request.option === "point" ? steeringPoints(pointNames(request)) : []),
});

export default magic;
