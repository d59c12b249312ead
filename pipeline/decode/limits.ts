/** Limits of a line and of the event in it. */

import { HOUR } from '../base/clock.ts'

/** Longer lines are refused without parsing. This many of their bytes are kept. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024
export const KEPT_OF_TOO_LARGE = 64 * 1024
/**
 * Longest event, in stored bytes. Stored text may be longer than the line. As JSON within JSON it
 * can double again, and must still fit a BigQuery request of 20 MB.
 */
export const LANDED_BYTES_MAX = 8 * 1024 * 1024
/** Deepest nesting of arrays and objects. It bounds the recursion of everything that walks them. */
export const NESTING_MAX = 500
/** Longest event id and name, in characters. */
export const TEXT_LENGTH_MAX = 256
/** Longest time that an event may be dated after its receipt, microseconds. */
export const AHEAD_MAX = 24 * HOUR

/** Digits of a JSON integer that is exact as a number for certain. */
export const EXACT_DIGITS_MAX = 15
