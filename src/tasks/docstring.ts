import { randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { things } from "./tiny-world/lexicon/things.js";
import { docstringText, drawDocstring } from "./tiny-world/passages/docstrings.js";

/**
 * The next argument in a documentation (Heimersheim and Janiak 2023, "A circuit for Python docstrings in a 4-layer
 * attention-only transformer"). In the corrupt prompt the function has another argument in that place.
 *
 * @example
 * ```ts
 * docstring({ count: 1 })[0].clean;
 * // "def fold(self, jar, leaf, stone):\n:param jar: small ring\n:param", and the answer is " leaf"
 * ```
 */
export function docstring(options: TaskOptions = {}): Prompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("docstring");
  return Array.from({ length: count }, () => {
    const drawn = drawDocstring(random, heldOut);
    const place = random.integer(drawn.args.length);
    const used = [...drawn.args, ...drawn.notes.flatMap((note) => note.split(" "))];
    const other = random.choice(things.filter((thing) => !used.includes(thing)));
    const write = (arg: string): string =>
      `${docstringText({ ...drawn, args: drawn.args.with(place, arg) }, place)}\n:param`;
    return {
      clean: write(drawn.args[place]!),
      corrupt: write(other),
      answer: ` ${drawn.args[place]}`,
      wrongAnswer: ` ${other}`,
    };
  });
}
