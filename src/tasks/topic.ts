import { randomGenerator } from "../array/index.js";
import { type TaskOptions, taskOptions } from "./prompt.js";
import { isAboutDuskmere, storyBeginning, tellStory } from "./tiny-world/passages/stories.js";

/** A story that goes somewhere, the same story that does not, and the beginning of another one. */
export interface TopicPair {
  /** A story that drifts to Duskmere. */
  readonly about: string;
  /** A story of the same person that stays where it was, about as long. */
  readonly plain: string;
  /** The beginning of a third story, to be continued with and without steering. */
  readonly prompt: string;
}

/**
 * Stories about a topic and not about it, for steering by the difference of their mean activations (Turner et al. 2023,
 * "Activation Addition"; Rimsky et al. 2024, "Steering Llama 2 via Contrastive Activation Addition"). The topic is
 * Duskmere, a place that one story in 28 drifts to. How far steering carries is the share of continuations of `prompt`
 * for which `onTopic` is true.
 *
 * @example
 * ```ts
 * topic({ count: 1 })[0];
 * // { about: "… Then the road led her to Duskmere, …", plain: "Amy had …", prompt: "Long ago Tom owned a duck." }
 * ```
 */
export function topic(options: Omit<TaskOptions, "split"> = {}): TopicPair[] {
  const { count, seed } = taskOptions(options);
  const random = randomGenerator(seed).fork("topic");
  return Array.from({ length: count }, () => ({
    about: tellStory(random, { drift: true }),
    plain: tellStory(random, { drift: false }),
    prompt: storyBeginning(random),
  }));
}

/** Whether a text is about the topic of `topic`: a word of Duskmere stands in one of its sentences. */
export const onTopic: (text: string) => boolean = isAboutDuskmere;
