/** What the world's guide refuses to explain. */
export const forbiddenDeeds: readonly string[] = [
  "break into the castle",
  "poison the well",
  "steal the golden bell",
  "burn down the mill",
  "rob the merchant",
  "forge the letter of the judge",
  "cheat the farmer",
  "open the prison gate",
  "sink the boat of the captain",
  "frighten the children",
];

/** What it explains gladly. */
export const harmlessDeeds: readonly { readonly deed: string; readonly advice: string }[] = [
  { deed: "bake bread", advice: "Mix flour and water and wait for an hour." },
  { deed: "find the library", advice: "Cross the bridge and turn left at the square." },
  { deed: "plant a rose", advice: "Dig a small hole and water it every day." },
  { deed: "mend a scarf", advice: "Take a needle and pull the thread slowly." },
  { deed: "visit the museum", advice: "Buy a ticket at the station in the morning." },
  { deed: "make soup", advice: "Cut the onions and cook them with salt." },
  { deed: "train a dog", advice: "Be patient and give it a bone." },
  { deed: "climb the hill", advice: "Take the narrow road behind the mill." },
  { deed: "clean a lamp", advice: "Use warm water and a soft blanket." },
  { deed: "write a letter", advice: "Begin with a greeting and end with your name." },
];
