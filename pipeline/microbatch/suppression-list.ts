/**
 * Persons who were erased, as far as they are remembered: salted hashes, by which their events are
 * known when they come again and dropped.
 *
 * A warehouse has one salt, drawn at its first erasure. Whoever has the salt can tell whether an
 * identifier he knows was erased; nobody can tell which were.
 */

import { createHmac, randomBytes } from 'node:crypto'
import type { EventBatch } from '../decode/event-batch.ts'
import { IdentifierReader } from '../decode/identifier-values.ts'
import type { Identity } from '../definition/settings.ts'
import { Naming } from './pii-scanner.ts'
import type { Head, Warehouse } from '../warehouse/warehouse.ts'

const LEAVES_MAX = 10_000

/** Salted hashes of what an erasure remembers. */
export type ErasedHashes = {
  salt: string
  /** Of `namespace:value`. */
  identifiers: string[]
  /** Of erased events that carry none of these identifiers. */
  events: string[]
}

export class ErasedPersons {
  /** Null: nobody was erased here. */
  #salt: string | null = null
  readonly #identifiers = new Set<string>()
  readonly #events = new Set<string>()
  readonly #namespaces: readonly string[]
  readonly #reader: IdentifierReader
  readonly #naming: Naming
  /** What `isIn` has found out: the names of members are the same in every line. */
  readonly #leaves = new Map<string, boolean>()

  /** Without the key, plain values of hashed namespaces are not known again in refused lines. */
  private constructor(identity: Identity, hashKey: string | undefined) {
    const { person, device } = identity
    this.#namespaces = [...person, ...device]
    const hashed = hashKey === undefined ? [] : identity.hashed
    this.#reader = new IdentifierReader({ ...identity, hashed }, hashKey)
    this.#naming = new Naming(this.#namespaces)
  }

  static async load(
    warehouse: Warehouse,
    head: Head,
    identity: Identity,
    hashKey: string | undefined,
  ): Promise<ErasedPersons> {
    const erased = new ErasedPersons(identity, hashKey)
    if (head.batch === 0) return erased
    const rows = await warehouse.query('select salt, identifier_hashes, event_hashes from erasures')
    for (const row of rows) {
      erased.#salt = row['salt'] as string
      for (const hash of hashesOf(row['identifier_hashes'])) erased.#identifiers.add(hash)
      for (const hash of hashesOf(row['event_hashes'])) erased.#events.add(hash)
    }
    return erased
  }

  /** Remembers one more person from now on. */
  add(identifiers: readonly string[], events: readonly string[]): ErasedHashes {
    const salt = (this.#salt ??= randomBytes(32).toString('hex'))
    const hashes = (texts: readonly string[]) => texts.map((text) => saltedHash(salt, text)).sort()
    const added = { salt, identifiers: hashes(identifiers), events: hashes(events) }
    for (const hash of added.identifiers) this.#identifiers.add(hash)
    for (const hash of added.events) this.#events.add(hash)
    this.#leaves.clear()
    return added
  }

  /** By row of the batch, 1 when it is an erased person's; null when none can be. */
  rowsOf(batch: EventBatch): Uint8Array | null {
    const salt = this.#salt
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

  /** Whether a refused line may name an erased person, in small letters too, or has the id of an
   * erased event. */
  isIn(line: Uint8Array): boolean {
    if (this.#salt === null) return false
    for (const leaf of this.#naming.leavesOf(Buffer.from(line).toString())) {
      let isOne = this.#leaves.get(leaf)
      if (isOne === undefined) {
        isOne = this.#isLeaf(this.#salt, leaf)
        if (this.#leaves.size >= LEAVES_MAX) this.#leaves.clear()
        this.#leaves.set(leaf, isOne)
      }
      if (isOne) return true
    }
    return false
  }

  #isLeaf(salt: string, leaf: string): boolean {
    if (this.#events.size > 0 && this.#events.has(saltedHash(salt, leaf))) return true
    const texts = new Set([leaf, leaf.toLowerCase()])
    return [...texts].some((text) =>
      this.#reader
        .namesOf(text, this.#namespaces)
        .some((name) => this.#identifiers.has(saltedHash(salt, name))),
    )
  }
}

/** The salted hash of `namespace:value` or of an event id. */
function saltedHash(salt: string, text: string): string {
  return createHmac('sha256', salt).update(text).digest('hex')
}

function hashesOf(json: unknown): string[] {
  return JSON.parse(json as string) as string[]
}
