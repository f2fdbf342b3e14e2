/** What every cell has without an import. */

/**
 * Asks the reader for a line of text and waits for it.
 *
 * @returns the line; null where the front end cannot ask
 */
declare function prompt(message?: string, defaultValue?: string): string | null;

/** Asks the reader a question that is answered with yes or no. */
declare function confirm(message?: string): boolean;

/**
 * Asks the reader for a line that is not shown while it is typed, such as an access token.
 *
 * @returns the line; null where the front end cannot ask
 */
declare function promptSecret(message?: string): string | null;
