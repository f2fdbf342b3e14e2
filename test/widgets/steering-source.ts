import type { DirectionKind } from "../../widgets/steering-controls/model.js";

/** What an engine offers to steer: the points of three layers, and two kinds of directions. */
export class SteeringOffer {
  readonly points: readonly string[] = [0, 1, 2].map((layer) => `blocks.${layer}.hook_resid_pre`);
  readonly directions: readonly DirectionKind[] = [
    {
      kind: "difference",
      label: "difference of two prompts",
      fields: [
        { name: "positive", label: "towards", type: "text", value: "love" },
        { name: "negative", label: "away from", type: "text", value: "hate" },
      ],
    },
    {
      kind: "unembedding",
      label: "unembedding vector",
      fields: [{ name: "token", label: "token", type: "text" }],
    },
  ];
}
