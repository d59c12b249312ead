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
  const codes = codesOf(texts, (text) => {
    const code = codeOf.get(text) ?? codeOf.size
    if (code === FEW_MAX) return null
    codeOf.set(text, code)
    return code
  })
  return codes === null ? null : { values: [...codeOf.keys()], codes }
}

function runsOfTexts(texts: readonly (string | null)[]): DictionaryColumn | null {
  const values: string[] = []
  const codes = codesOf(texts, (text, row) => {
    const code = values.push(text) - 1
    return row > RUN_ROWS_MIN && values.length > RUNS_MAX * row ? null : code
  })
  return codes === null || values.length > RUNS_MAX * texts.length ? null : { values, codes }
}

/** Returns the code of each row, -1 without a text. `codeOf` is called at the first row of each run of
 * equal texts; null gives up. */
function codesOf(
  texts: readonly (string | null)[],
  codeOf: (text: string, row: number) => number | null,
): Int32Array<ArrayBuffer> | null {
  const codes = new Int32Array(texts.length)
  let last: string | null = null
  let code: number | null = -1
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] as string | null
    if (text !== last) {
      last = text
      code = text === null ? -1 : codeOf(text, row)
      if (code === null) return null
    }
    codes[row] = code
  }
  return codes
}
