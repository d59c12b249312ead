/** Types of the lint rule for patterns, for its test. */

/** Returns what is wrong with a pattern, or null. */
export function problemOf(source: string, flags: string): string | null
