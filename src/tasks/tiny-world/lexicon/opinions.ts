/** What reviews judge, with the words that praise and blame it. */
export interface Opinion {
  readonly judged: string;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const opinion = (judged: string, good: string, bad: string): Opinion => ({
  judged,
  good: good.split(" "),
  bad: bad.split(" "),
});

/** Everything that a review may judge. Praise and blame of different things overlap only within their side. */
export const opinions: readonly Opinion[] = [
  opinion("soup", "delicious fresh excellent wonderful", "terrible stale awful bland"),
  opinion("bread", "fresh delicious perfect lovely", "stale bland horrible disgusting"),
  opinion("room", "clean lovely charming perfect", "dirty gloomy awful noisy"),
  opinion("bed", "wonderful clean excellent perfect", "dirty terrible horrible noisy"),
  opinion("waiter", "friendly charming kind brilliant", "rude lazy horrible clumsy"),
  opinion("host", "kind friendly wonderful charming", "rude clumsy awful lazy"),
  opinion("play", "brilliant charming excellent superb", "boring awful clumsy dull"),
  opinion("story", "superb brilliant lovely wonderful", "dull boring terrible bland"),
  opinion("music", "lovely superb wonderful brilliant", "noisy dull horrible awful"),
  opinion("singer", "superb brilliant charming excellent", "clumsy boring terrible dull"),
  opinion("view", "perfect superb lovely excellent", "gloomy dull awful boring"),
  opinion("service", "excellent friendly kind perfect", "lazy rude terrible disgusting"),
];
