/** The place that some stories drift to, with words that stand nowhere else: a topic for steering. */
export const duskmere = "Duskmere";

/** What there is in Duskmere. */
export const duskmereThings: readonly string[] =
  "moths lanterns reeds ferrymen whispers fireflies willows bells herons shadows".split(" ");

/** Every word that stands only in texts about Duskmere. */
export const duskmereWords: readonly string[] = [
  duskmere,
  ..."moths reeds ferrymen whispers fireflies willows herons violet mist glimmer drifting silver dusk marsh".split(
    " ",
  ),
];
