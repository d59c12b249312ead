/** Fields of a scanned line, in the forms that need no parser. */

import { setSlice, sliceOf, type Bytes, type Slice } from '../bytes.ts'
import { InstantScanner } from './instant-scan.ts'
import { TEXT_LENGTH_MAX } from '../limits.ts'
import { ABSENT, MemberScan, NULL, OBJECT, OTHER, PLAIN_TEXT } from './member-scan.ts'

const EMPTY_OBJECT = sliceOf('{}')
/** Source of an event that names none. */
export const UNKNOWN_SOURCE = sliceOf('unknown')

export class ScannedFields {
  readonly scan = new MemberScan()
  readonly #instants = new InstantScanner()

  isAbsent(slot: number): boolean {
    const type = this.scan.types[slot]
    return type === ABSENT || type === NULL
  }

  /** Finds a text without escapes; false for anything else. */
  text(slot: number, bytes: Bytes, into: Slice): boolean {
    return this.scan.types[slot] === PLAIN_TEXT && this.slice(slot, bytes, into)
  }

  /** Finds a required text of 1 to 256 bytes. */
  name(slot: number, bytes: Bytes, into: Slice): boolean {
    if (!this.text(slot, bytes, into)) return false
    const length = into.to - into.from
    return length > 0 && length <= TEXT_LENGTH_MAX
  }

  /** Returns the microseconds of an instant, NaN where a parser must decide. */
  instant(slot: number, bytes: Bytes): number {
    const { types, from, to } = this.scan
    const [start, end] = [from[slot] as number, to[slot] as number]
    if (types[slot] === PLAIN_TEXT) return this.#instants.textAt(bytes.array, start, end)
    return types[slot] === OTHER ? this.#instants.numberAt(bytes.array, start, end) : NaN
  }

  /** Finds an object, `{}` where it is absent. */
  object(slot: number, bytes: Bytes, into: Slice): boolean {
    if (this.scan.types[slot] !== OBJECT) {
      return this.isAbsent(slot) && setSlice(into, EMPTY_OBJECT)
    }
    return this.slice(slot, bytes, into)
  }

  /** Makes a slice the bytes of a value that is not absent; returns true. */
  slice(slot: number, bytes: Bytes, into: Slice): true {
    into.bytes = bytes
    into.from = this.scan.from[slot] as number
    into.to = this.scan.to[slot] as number
    return true
  }
}
