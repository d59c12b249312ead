/**
 * The fast way of a line into a batch: its bytes are scanned once, and only what is needed becomes a
 * value. What is stored as JSON is copied as it is.
 *
 * It takes well-formed events of common forms and nothing else. What it does not take, for whatever
 * reason, is left to `LineDecoder`, which accepts it or gives the reason. So nothing is refused here, and
 * both ways must give the same rows.
 */

import type { Json } from '../../base/json.ts'
import { bytesOf, newBytes, type Bytes } from '../bytes.ts'
import type { BatchBuilder } from '../event-batch-builder.ts'
import { IdentifierScan } from './identifier-scan.ts'
import { AHEAD_MAX, LINE_BYTES_MAX } from '../limits.ts'
import type { DecodeOptions } from '../line-decoder.ts'
import { NativeScan } from './native-scan.ts'
import { scannedValue } from '../operand-value.ts'
import { emptyEvent, type ScannedEvent } from './scanned-event.ts'
import { ScannedFields } from './scanned-fields.ts'
import { SegmentScan } from './segment-scan.ts'

/** Reads a line of one form from its scanned members. */
export type FormScan = {
  /** True when the line is of this form. */
  isForm(): boolean
  /** Fills the event; false where the line must be parsed. */
  read(bytes: Bytes, landedAt: number, event: ScannedEvent, into: BatchBuilder): boolean
  /** The member that is the event's properties. */
  readonly propertiesMember: 'properties' | 'traits'
}

export class LineScanner {
  readonly #events: DecodeOptions['events']
  #bytes = newBytes(0)
  readonly #fields = new ScannedFields()
  readonly #forms: FormScan[]
  readonly #event: ScannedEvent
  /** By operand path. */
  readonly #values: (Json | undefined)[]
  /** By the member that is the properties: the slots of the operand paths. */
  readonly #slots = new Map<string, Int32Array>()

  private constructor({ identity, operandPaths, format, events }: DecodeOptions) {
    const namespaces = [...identity.person, ...identity.device]
    this.#events = events
    this.#event = emptyEvent(namespaces.length)
    this.#values = operandPaths.map(() => undefined)
    const identifiers = new IdentifierScan(namespaces)
    const native = new NativeScan(this.#fields, identifiers)
    const segment = new SegmentScan(this.#fields, identifiers, namespaces)
    const forms = { native: [native], segment: [segment], any: [native, segment] }
    this.#forms = forms[format ?? 'any']
    for (const member of ['properties', 'traits']) {
      const slots = operandPaths.map((path) =>
        this.#fields.scan.slot(path.replace(/^properties\./, `${member}.`)),
      )
      this.#slots.set(member, Int32Array.from(slots))
    }
  }

  /** Returns null where an operand path is not of a member of `properties` or `context`. */
  static of(options: DecodeOptions): LineScanner | null {
    const isScanned = options.operandPaths.every((path) => /^(properties|context)\./.test(path))
    return isScanned ? new LineScanner(options) : null
  }

  /** Adds the line that begins at one byte and ends at the next line break or at `end`, valid UTF-8,
   * to a batch. Returns where it ends, or -1 where it must be parsed; the batch is as before then. */
  add(array: Buffer, from: number, end: number, landedAt: number, into: BatchBuilder): number {
    const to = this.#fields.scan.scan(array, from, end)
    if (to < 0 || to - from > LINE_BYTES_MAX) return -1
    if (this.#bytes.array !== array) this.#bytes = bytesOf(array)
    const bytes = this.#bytes
    const event = this.#event
    for (let f = 0; f < this.#forms.length; f++) {
      const form = this.#forms[f] as FormScan
      if (!form.isForm()) continue
      if (!form.read(bytes, landedAt, event, into)) return -1
      if (!(event.occurredAt <= event.receivedAt + AHEAD_MAX)) return -1
      if (!namesSomebody(event, into) || !this.#isDefined(event, into)) return -1
      this.#readOperands(bytes, this.#slots.get(form.propertiesMember) as Int32Array)
      into.addScanned(event, this.#values, from, to)
      return to
    }
    return -1
  }

  #isDefined({ name, properties }: ScannedEvent, into: BatchBuilder): boolean {
    const { events, unknown } = this.#events
    const text = into.name.valueAt(into.name.entry(name)) as string
    const schema = Object.hasOwn(events, text) ? events[text] : undefined
    if (schema === undefined) return unknown !== 'refuse'
    if (schema === null) return true
    const { bytes, from, to } = properties
    return schema.safeParse(JSON.parse(bytes.array.toString('utf8', from, to))).success
  }

  #readOperands(bytes: Bytes, slots: Int32Array): void {
    const { types, from, to } = this.#fields.scan
    for (let o = 0; o < slots.length; o++) {
      const slot = slots[o] as number
      this.#values[o] = scannedValue(
        types[slot] as number,
        bytes.array,
        from[slot] as number,
        to[slot] as number,
      )
    }
  }
}

function namesSomebody({ who }: ScannedEvent, into: BatchBuilder): boolean {
  for (let n = 0; n < who.length; n++) {
    const entry = who[n] as number
    if (entry >= 0 && into.who[n]?.valueAt(entry) !== null) return true
  }
  return false
}
