/**
 * Persons who were erased, as far as they are remembered: salted hashes, by which their events are
 * known when they come again and dropped.
 *
 * A warehouse has one salt, drawn at its first erasure. Whoever has the salt can tell whether an
 * identifier he knows was erased; nobody can tell which were.
 */

import { createHmac } from 'node:crypto'
import type { EventBatch } from './batch.ts'
import type { Head, Warehouse } from './warehouse.ts'

/** The salted hash of `namespace:value` or of an event id. */
export function saltedHash(salt: string, text: string): string {
  return createHmac('sha256', salt).update(text).digest('hex')
}

export class ErasedPersons {
  /** Null: nobody was erased here. */
  readonly salt: string | null
  readonly #identifiers = new Set<string>()
  /** Erased events that carry none of these identifiers. */
  readonly #events = new Set<string>()

  readonly #namespaces: readonly string[]

  private constructor(salt: string | null, namespaces: readonly string[]) {
    this.salt = salt
    this.#namespaces = namespaces
  }

  static async load(
    warehouse: Warehouse,
    head: Head,
    namespaces: readonly string[],
  ): Promise<ErasedPersons> {
    if (head.batch === 0) return new ErasedPersons(null, namespaces)
    const rows = await warehouse.query('select salt, identifier_hashes, event_hashes from erasures')
    const salt = (rows[0]?.['salt'] as string | undefined) ?? null
    const erased = new ErasedPersons(salt, namespaces)
    for (const row of rows) {
      for (const hash of hashesOf(row['identifier_hashes'])) erased.#identifiers.add(hash)
      for (const hash of hashesOf(row['event_hashes'])) erased.#events.add(hash)
    }
    return erased
  }

  /** By row of the batch, 1 when it is an erased person's; null when none can be. */
  rowsOf(batch: EventBatch): Uint8Array | null {
    const { salt } = this
    if (salt === null) return null
    const isErased = new Uint8Array(batch.count)
    const isOne = (text: string) => this.#identifiers.has(saltedHash(salt, text))
    for (const { values, codes } of batch.identifiers) {
      const ofCode = values.map(isOne)
      for (let row = 0; row < batch.count; row++) {
        if (ofCode[codes[row] ?? -1] === true) isErased[row] = 1
      }
    }
    for (const pairs of [batch.aliasJson, batch.unlinkJson]) {
      for (const [row, text] of pairs) {
        if ((JSON.parse(text) as string[]).some(isOne)) isErased[row] = 1
      }
    }
    if (this.#events.size === 0) return isErased
    batch.eventId.forEach((eventId, row) => {
      if (this.#events.has(saltedHash(salt, eventId))) isErased[row] = 1
    })
    return isErased
  }

  /** Whether a refused line has a text or number that is an erased identifier or event id. */
  isIn(line: Uint8Array): boolean {
    const { salt } = this
    if (salt === null) return false
    for (const [whole, quoted] of Buffer.from(line).toString().matchAll(LEAF)) {
      const leaf = (quoted ?? whole).trim()
      const names = [leaf, ...this.#namespaces.map((namespace) => `${namespace}:${leaf}`)]
      const hashes = names.map((name) => saltedHash(salt, name))
      if (hashes.some((hash) => this.#identifiers.has(hash) || this.#events.has(hash))) return true
    }
    return false
  }
}

/** Texts and numbers of JSON, be it sound or not. */
const LEAF = /"((?:[^"\\]|\\.)*)"|-?\d+(?:\.\d+)?/g

function hashesOf(json: unknown): string[] {
  return JSON.parse(json as string) as string[]
}
