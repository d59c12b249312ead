/** Types of the lint rule for plain English, for its test. */

/** Returns what is wrong with a comment or a text, or null. */
export function problemOf(text: string): string | null
