/**
 * Dictionary encoding of text columns whose values repeat, so that each text is written once: few
 * distinct texts (names of states), or runs of equal texts (the session of successive events).
 */

import type { DictionaryColumn } from '../base/columns.ts'

/** More distinct texts are not few. */
const FEW_MAX = 64
/** Runs are given up when they are more than this share of the rows seen. */
const RUNS_MAX = 0.6
/** Rows seen before runs are given up. */
const RUN_ROWS_MIN = 256

/** Returns a text column as a dictionary, or as it is if its texts do not repeat. */
export function repeatedTexts(
  texts: readonly (string | null)[],
): DictionaryColumn | readonly (string | null)[] {
  return fewTexts(texts) ?? runsOfTexts(texts) ?? texts
}

function fewTexts(texts: readonly (string | null)[]): DictionaryColumn | null {
  const codeOf = new Map<string, number>()
  const codes = new Int32Array(texts.length)
  let last: string | null = null
  let code = -1
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] as string | null
    if (text !== last) {
      last = text
      code = text === null ? -1 : (codeOf.get(text) ?? codeOf.size)
      if (code === FEW_MAX) return null
      if (text !== null && code === codeOf.size) codeOf.set(text, code)
    }
    codes[row] = code
  }
  return { values: [...codeOf.keys()], codes }
}

function runsOfTexts(texts: readonly (string | null)[]): DictionaryColumn | null {
  const values: string[] = []
  const codes = new Int32Array(texts.length)
  let last: string | null = null
  let code = -1
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] as string | null
    if (text !== last) {
      last = text
      code = text === null ? -1 : values.push(text) - 1
      if (row > RUN_ROWS_MIN && values.length > RUNS_MAX * row) return null
    }
    codes[row] = code
  }
  return values.length > RUNS_MAX * texts.length ? null : { values, codes }
}
