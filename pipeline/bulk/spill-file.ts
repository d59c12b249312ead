/** Temporary file of values that memory has no room for. The file is unlinked as soon as it is open:
 * nothing of it remains after a crash. */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'

/** Place of a value in the file. */
export type Spilled<Value> = { from: number; length: number; readonly type?: Value }

export class SpillFile {
  #file: number | null = null
  #end = 0

  /** Writes a value of plain objects, arrays and typed arrays. */
  write<Value>(value: Value): Spilled<Value> {
    const bytes = serialize(value)
    return { from: this.writeBytes(bytes), length: bytes.length }
  }

  read<Value>({ from, length }: Spilled<Value>): Value {
    return deserialize(this.readBytes(from, length)) as Value
  }

  /** Appends bytes. Returns their position. */
  writeBytes(bytes: Uint8Array): number {
    this.#file ??= unlinkedFile()
    const from = this.#end
    while (this.#end < from + bytes.length) {
      const done = this.#end - from
      this.#end += writeSync(this.#file, bytes, done, bytes.length - done, this.#end)
    }
    return from
  }

  readBytes(from: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length)
    let done = 0
    while (done < length) {
      done += readSync(this.#file as number, bytes, done, length - done, from + done)
    }
    return bytes
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

function unlinkedFile(): number {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  try {
    return openSync(join(dir, 'events'), 'w+')
  } finally {
    rmSync(dir, { recursive: true })
  }
}
