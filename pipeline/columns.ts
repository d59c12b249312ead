/** Column builders for decoding: they grow as lines come and end as the batch's columns. */

import type { DictionaryColumn, TextColumn } from './batch.ts'

const BYTES_AT_FIRST = 1 << 16
/** A UTF-16 unit is at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3

export class TextBuilder {
  #bytes = Buffer.allocUnsafeSlow(BYTES_AT_FIRST)
  #end = 0
  readonly #offsets: number[] = [0]

  push(text: string): void {
    const most = this.#end + text.length * BYTES_PER_UNIT
    if (most > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(most, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#end)
      this.#bytes = larger
    }
    this.#end += this.#bytes.write(text, this.#end)
    this.#offsets.push(this.#end)
  }

  build(): TextColumn {
    return { bytes: this.#bytes.subarray(0, this.#end), offsets: Int32Array.from(this.#offsets) }
  }
}

export class DictionaryBuilder {
  readonly #codeOf = new Map<string, number>()
  readonly #codes: number[] = []

  push(text: string | null): void {
    if (text === null) {
      this.#codes.push(-1)
      return
    }
    let code = this.#codeOf.get(text)
    if (code === undefined) this.#codeOf.set(text, (code = this.#codeOf.size))
    this.#codes.push(code)
  }

  build(): DictionaryColumn {
    return { values: [...this.#codeOf.keys()], codes: Int32Array.from(this.#codes) }
  }
}
