/** Fields of a scanned line, in the forms that need no parser. */

import { InstantScanner } from './instant-scan.ts'
import { TEXT_LENGTH_MAX } from './limits.ts'
import { ABSENT, MemberScan, NULL, OBJECT, OTHER, PLAIN_TEXT } from './member-scan.ts'
import { sliceOf, type Slice } from './scanned-event.ts'

const EMPTY_OBJECT = sliceOf('{}')

export class ScannedFields {
  readonly scan = new MemberScan()
  readonly #instants = new InstantScanner()

  isAbsent(slot: number): boolean {
    const type = this.scan.types[slot]
    return type === ABSENT || type === NULL
  }

  /** Finds a text without escapes; false for anything else. */
  text(slot: number, bytes: Buffer, into: Slice): boolean {
    if (this.scan.types[slot] !== PLAIN_TEXT) return false
    into.bytes = bytes
    into.from = this.scan.from[slot] as number
    into.to = this.scan.to[slot] as number
    return true
  }

  /** Finds a required text of 1 to 256 bytes. */
  name(slot: number, bytes: Buffer, into: Slice): boolean {
    if (!this.text(slot, bytes, into)) return false
    const length = into.to - into.from
    return length > 0 && length <= TEXT_LENGTH_MAX
  }

  /** Returns the microseconds of an instant, NaN where a parser must decide. */
  instant(slot: number, bytes: Buffer): number {
    const { types, from, to } = this.scan
    const [start, end] = [from[slot] as number, to[slot] as number]
    if (types[slot] === PLAIN_TEXT) return this.#instants.textAt(bytes, start, end)
    return types[slot] === OTHER ? this.#instants.numberAt(bytes, start, end) : NaN
  }

  /** Finds an object, `{}` where it is absent. */
  object(slot: number, bytes: Buffer, into: Slice): boolean {
    const isObject = this.scan.types[slot] === OBJECT
    if (!isObject && !this.isAbsent(slot)) return false
    into.bytes = isObject ? bytes : EMPTY_OBJECT.bytes
    into.from = isObject ? (this.scan.from[slot] as number) : EMPTY_OBJECT.from
    into.to = isObject ? (this.scan.to[slot] as number) : EMPTY_OBJECT.to
    return true
  }
}
