/**
 * Texts of one batch as numbers. Stages and rows have codes instead of strings, and each text is
 * encoded as UTF-8 once.
 *
 * Equal codes are equal texts. The reverse is true of texts that `code` numbers, and not of those
 * that `add` does.
 */

import { TextColumnBuilder, type TextColumn } from './columns.ts'

/** Code of no text. */
export const NO_TEXT = -1

export class Texts {
  readonly #values: string[] = []
  readonly #codeOf = new Map<string, number>()

  /** Number of codes. */
  get size(): number {
    return this.#values.length
  }

  /** Returns the code of a text, the same for equal texts. */
  code(text: string): number {
    let code = this.#codeOf.get(text)
    if (code === undefined) {
      code = this.add(text)
      this.#codeOf.set(text, code)
    }
    return code
  }

  /** Returns a new code for a text that occurs in one place only, such as the id of an event. It
   * takes no look-up. */
  add(text: string): number {
    return this.#values.push(text) - 1
  }

  /** Returns the text of a code. */
  at(code: number): string {
    return this.#values[code] as string
  }

  /** Returns the texts of codes. */
  allOf(codes: Iterable<number>): string[] {
    const texts: string[] = []
    for (const code of codes) texts.push(this.#values[code] as string)
    return texts
  }

  /** Returns whether two codes have equal texts. */
  isSame(a: number, b: number): boolean {
    return a === b || (a >= 0 && b >= 0 && this.#values[a] === this.#values[b])
  }

  /** Returns the texts as one column, in the order of their codes. Those of codes where `isUsed` is 0
   * are empty. */
  column(isUsed: Uint8Array): TextColumn {
    const values = this.#values
    let units = 0
    for (let code = 0; code < values.length; code++) {
      if (isUsed[code] === 1) units += (values[code] as string).length
    }
    const column = new TextColumnBuilder(values.length, units)
    for (let code = 0; code < values.length; code++) {
      column.push(isUsed[code] === 1 ? (values[code] as string) : '')
    }
    return column.build()
  }
}

/** Code of the text that was asked for last: successive rows mostly have the same. */
export class LatestCode {
  readonly #texts: Texts
  readonly #isOnce: boolean
  #text: string | null = null
  #code = NO_TEXT

  /** With `isOnce`, a text that comes again later gets another code, and none takes a look-up. */
  constructor(texts: Texts, isOnce = false) {
    this.#texts = texts
    this.#isOnce = isOnce
  }

  of(text: string): number {
    if (text !== this.#text) {
      this.#text = text
      this.#code = this.#isOnce ? this.#texts.add(text) : this.#texts.code(text)
    }
    return this.#code
  }
}
