export { type CorpusOptions, corpus, generateDocument, mixture } from "./document.js";
export { duskmereWords } from "./lexicon/duskmere.js";
export { type Fact, facts, type Relation, relations, subjects } from "./lexicon/facts.js";
export { isWomansName, mensNames, names, occupations, womensNames } from "./lexicon/people.js";
export { grammaticalShare, isInGrammar, type ParsedSentence, parse } from "./parse.js";
export { isAboutDuskmere } from "./passages/stories.js";
export { countTokens } from "./pretokens.js";
export { buildTokenizer, endOfText, type TokenizerFiles, worldEncoder } from "./tokenizer.js";
export { worldWords } from "./words.js";
