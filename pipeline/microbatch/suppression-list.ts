/**
 * Suppression list: salted hashes of erased persons. Their events and refused lines are recognized
 * and dropped when they arrive again.
 *
 * A warehouse has one random salt, created by its first erasure. Anyone with the salt can test
 * whether a known identifier was erased. The list does not reveal identifiers: besides hashes it
 * has only the length of each value and 24 bits of a checksum, which make the search in text
 * linear.
 */

import { createHmac, randomBytes } from 'node:crypto'
import type { EventBatch } from '../decode/event-batch.ts'
import { IdentifierReader } from '../decode/identifier-values.ts'
import { foldedText, readingsOf } from '../decode/text-forms.ts'
import { TokenSearch, type Sketch } from '../decode/token-search.ts'
import type { Identity } from '../definition/settings.ts'
import { namespaceOf } from '../base/identifier.ts'
import { delimitedIn, PiiScanner } from './pii-scanner.ts'
import type { Head, Warehouse } from '../warehouse/warehouse.ts'

/** Cached answers. Member names repeat in every line, so most lookups hit. */
const ANSWERS_MAX = 10_000
/** Answers about longer texts are not cached. */
const ANSWER_LENGTH_MAX = 256

/** Entries that an erasure adds to the list. */
export type ErasedHashes = {
  salt: string
  /** Hashes of `namespace:value`. */
  identifiers: string[]
  /** Hashes of erased events that carry none of these identifiers. */
  events: string[]
  /** Values of both, in the form that is searched for in text: `LENGTH:CHECKSUM:HASH`. */
  values: string[]
}

export class ErasedPersons {
  /** Null before the first erasure. */
  #salt: string | null = null
  readonly #identifiers = new Set<string>()
  readonly #events = new Set<string>()
  /** Hashes of the values searched for. */
  readonly #values = new Set<string>()
  #search = new TokenSearch(0)
  readonly #namespaces: readonly string[]
  readonly #reader: IdentifierReader
  readonly #scanner: PiiScanner
  /** Whether plain values may stand for erased ones that the search does not know: values of hashed
   * namespaces, or of certificates of an earlier version. */
  #isByDelimiters: boolean
  readonly #answers = new Map<string, boolean>()

  /** Without the key, plain values of hashed namespaces are not recognized in refused lines. */
  private constructor(identity: Identity, hashKey: string | undefined) {
    const { person, device } = identity
    this.#namespaces = [...person, ...device]
    const hashed = hashKey === undefined ? [] : identity.hashed
    this.#reader = new IdentifierReader({ ...identity, hashed }, hashKey)
    this.#scanner = new PiiScanner(this.#namespaces)
    this.#isByDelimiters = hashed.length > 0
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
      erased.#useSalt(row['salt'] as string)
      const texts = hashesOf(row['identifier_hashes'])
      const values = texts.filter((text) => text.includes(':'))
      if (values.length === 0) erased.#isByDelimiters = true
      erased.#remember({
        identifiers: texts.filter((text) => !text.includes(':')),
        events: hashesOf(row['event_hashes']),
        values,
      })
    }
    return erased
  }

  /** Adds a person to the list. */
  add(identifiers: readonly string[], events: readonly string[]): ErasedHashes {
    const salt = this.#salt ?? this.#useSalt(randomBytes(32).toString('hex'))
    const hashes = (texts: readonly string[]) => texts.map((text) => saltedHash(salt, text)).sort()
    const plain = identifiers.map((name) => name.slice(namespaceOf(name).length + 1))
    const values = new Set([...plain, ...events].map((value) => this.#searched(salt, value)))
    const added = {
      salt,
      identifiers: hashes(identifiers),
      events: hashes(events),
      values: [...values].sort(),
    }
    this.#remember(added)
    this.#answers.clear()
    return added
  }

  #useSalt(salt: string): string {
    if (this.#salt === null) this.#search = new TokenSearch(parseInt(salt.slice(0, 8), 16))
    return (this.#salt = salt)
  }

  #remember({ identifiers, events, values }: Omit<ErasedHashes, 'salt'>): void {
    for (const hash of identifiers) this.#identifiers.add(hash)
    for (const hash of events) this.#events.add(hash)
    for (const value of values) {
      const [length, checksum, hash = ''] = value.split(':')
      const sketch: Sketch = { length: Number(length), hash: Number(checksum) }
      this.#search.add(sketch)
      this.#values.add(hash)
    }
  }

  #searched(salt: string, value: string): string {
    const { length, hash } = this.#search.sketchOf(value)
    return `${length}:${hash}:${saltedHash(salt, searchedText(value))}`
  }

  /** By row of the batch: 1 for an event of an erased person. Returns null if there are none. */
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

  /** Returns whether a refused line contains an erased person, in any form of the value in bytes,
   * or the id of an erased event. Linear in the bytes. */
  isIn(line: Uint8Array): boolean {
    const salt = this.#salt
    if (salt === null) return false
    for (const text of readingsOf(line)) {
      for (const [from, to] of this.#search.find(text)) {
        if (!this.#scanner.isWhole(text, from, to)) continue
        const searched = searchedText(text.slice(from, to))
        if (this.#answer(searched, () => this.#values.has(saltedHash(salt, searched)))) return true
      }
      if (this.#isByDelimiters && this.#isBetweenDelimiters(salt, text)) return true
    }
    return false
  }

  #isBetweenDelimiters(salt: string, text: string): boolean {
    for (const [from, to] of delimitedIn(text)) {
      if (!this.#scanner.isWhole(text, from, to)) continue
      const value = text.slice(from, to)
      if (this.#answer(value, () => this.#isValue(salt, value))) return true
    }
    return false
  }

  #isValue(salt: string, value: string): boolean {
    if (this.#events.size > 0 && this.#events.has(saltedHash(salt, value))) return true
    const texts = new Set([value, value.toLowerCase()])
    return [...texts].some((text) =>
      this.#reader
        .namesOf(text, this.#namespaces)
        .some((name) => this.#identifiers.has(saltedHash(salt, name))),
    )
  }

  /** Returns the cached answer for a text, or computes it. Copies the key, because a slice would
   * keep the whole line in memory. */
  #answer(text: string, find: () => boolean): boolean {
    let answer = this.#answers.get(text)
    if (answer !== undefined) return answer
    answer = find()
    if (text.length > ANSWER_LENGTH_MAX) return answer
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear()
    this.#answers.set(Buffer.from(text).toString(), answer)
    return answer
  }
}

/** Returns the form in which a value is searched for. */
function searchedText(value: string): string {
  return `value ${foldedText(value)}`
}

/** Returns the salted hash of `namespace:value` or of an event id. */
function saltedHash(salt: string, text: string): string {
  return createHmac('sha256', salt).update(text).digest('hex')
}

function hashesOf(json: unknown): string[] {
  return JSON.parse(json as string) as string[]
}
