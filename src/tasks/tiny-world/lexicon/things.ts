/** Places that people of the world go to; all take "the". */
export const places: readonly string[] =
  "store park school market harbor library garden station hospital restaurant office museum mill temple bakery farm inn square theater castle beach bridge forest hill lake tower house kitchen cellar stable".split(
    " ",
  );

/** Things that are given and found; all take "a" and begin with a consonant. */
export const things: readonly string[] =
  "drink ring book bone basket computer snack letter coin key lamp rope hat map pear cake knife bell box ladder candle blanket bucket flute hammer mirror necklace pot rose scarf shell stone ticket toy watch whistle jar leaf shovel card".split(
    " ",
  );

/** Qualities of things; all begin with a consonant. */
export const qualities: readonly string[] =
  "small large red blue green yellow heavy light round broken new strange wooden golden plain dark thin tall narrow dusty".split(
    " ",
  );

/** Nouns that count, singular and plural, for agreement. */
export const countables: readonly (readonly [string, string])[] =
  "key keys,cabinet cabinets,guard guards,farmer farmers,tree trees,horse horses,boat boats,window windows,chair chairs,flower flowers,dog dogs,bird birds,wall walls,road roads,child children,woman women,man men,door doors,wheel wheels,cart carts,goat goats,fence fences,table tables,picture pictures,barrel barrels,pilot pilots,student students,neighbor neighbors,bench benches,statue statues,clock clocks,lantern lanterns"
    .split(",")
    .map((pair) => pair.split(" ") as [string, string]);

/** Verbs that agree, singular and plural. */
export const agreeingVerbs: readonly (readonly [string, string])[] = [
  ["is", "are"],
  ["was", "were"],
  ["has", "have"],
  ["looks", "look"],
  ["seems", "seem"],
  ["stays", "stay"],
];

/** What lasts for years. */
export const events: readonly string[] =
  "war siege famine drought voyage reign strike festival plague revolt feud truce trial expedition dispute construction campaign occupation rebellion partnership marriage treaty tournament crusade journey quarrel project winter".split(
    " ",
  );

/** The first two digits of years. */
export const centuries: readonly string[] = ["11", "12", "13", "14", "15", "16", "17", "18"];

/** Two digits, `"00"` to `"99"`. */
export const twoDigits: readonly string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, "0"));

/** Animals in stories. */
export const animals: readonly string[] =
  "cat dog goat horse crow duck fox mouse owl rabbit sheep wolf".split(" ");

/** Kinds of weather. */
export const weathers: readonly string[] = "cold warm windy rainy quiet bright foggy stormy".split(" ");

/** How people in stories feel. */
export const feelings: readonly string[] =
  "tired happy hungry late sad proud lost ready sick angry bored worried".split(" ");
