/**
 * Pseudonymizes the events of a person. Pseudonyms are random and stored only in the events.
 *
 * Every identifier of the events is replaced by one pseudonym throughout, including those of shared
 * devices and of other people. Event ids are replaced too. The events stay linked to each other, in
 * the same order, and their links to other persons are removed. In properties and context, values of
 * these identifiers are replaced, whole or as words in a longer text, in any letter case; so is any
 * value under the name of a namespace.
 */

import { randomBytes } from 'node:crypto'
import { namespaceOf } from '../base/identifier.ts'
import type { IdentifierReader } from '../decode/identifier-values.ts'
import type { Json } from '../base/json.ts'
import { PiiScanner } from '../microbatch/pii-scanner.ts'
import { foldedText } from '../decode/text-forms.ts'
import { TokenSearch } from '../decode/token-search.ts'
import { comparePlaces, type Place } from '../base/event-order.ts'
import type { Row } from '../warehouse/warehouse.ts'

/** Shorter values are replaced only if they are a whole value. */
const WORD_LENGTH_MIN = 3

/** Returns rows of `events` with pseudonyms. `namespaces` are the declared ones. */
export function pseudonymised(
  rows: readonly Row[],
  namespaces: readonly string[],
  reader: IdentifierReader,
): Row[] {
  const pseudonyms = new Pseudonyms(rows, namespaces, reader)
  return rows.map((row) => pseudonyms.row(row))
}

class Pseudonyms {
  readonly #namespaces: readonly string[]
  readonly #reader: IdentifierReader
  readonly #scanner: PiiScanner
  /** By `namespace:value`. */
  readonly #values = new Map<string, string>()
  readonly #eventIds: Map<string, string>
  readonly #search = new TokenSearch(randomBytes(4).readInt32LE())
  readonly #ofWord = new Map<string, string>()

  constructor(rows: readonly Row[], namespaces: readonly string[], reader: IdentifierReader) {
    this.#namespaces = namespaces
    this.#reader = reader
    this.#scanner = new PiiScanner(namespaces)
    this.#eventIds = drawnInOrder(rows)
    for (const row of rows) {
      for (const [namespace, value] of Object.entries(identifiersOf(row))) {
        this.#valueOf(namespace, value)
      }
      for (const name of [...pairOf(row, 'alias'), ...pairOf(row, 'unlink')]) this.#nameOf(name)
    }
    for (const [name, drawn] of this.#values) {
      const value = name.slice(namespaceOf(name).length + 1)
      if (value.length < WORD_LENGTH_MIN) continue
      for (const word of [value, encodeURIComponent(value)]) {
        this.#ofWord.set(foldedText(word), drawn)
        this.#search.add(this.#search.sketchOf(word))
      }
    }
  }

  row(row: Row): Row {
    const identifiers = Object.entries(identifiersOf(row)).map(
      ([namespace, value]) => [namespace, this.#valueOf(namespace, value)] as const,
    )
    const json = (name: string) => {
      const value = JSON.parse(row[name] as string) as Json
      const text = JSON.stringify(this.#leaf('', value))
      return text === JSON.stringify(value) ? row[name] : text
    }
    const pair = (name: string) => {
      if (typeof row[name] !== 'string') return null
      const [, , ...condition] = JSON.parse(row[name]) as string[]
      return JSON.stringify([...pairOf(row, name).map((one) => this.#nameOf(one)), ...condition])
    }
    return {
      ...row,
      event_id: this.#eventIds.get(row['event_id'] as string),
      identifiers: JSON.stringify(Object.fromEntries(identifiers)),
      properties: json('properties'),
      context: json('context'),
      alias: pair('alias'),
      unlink: pair('unlink'),
    }
  }

  /** Returns the pseudonym of a value. Placeholder values are kept. */
  #valueOf(namespace: string, value: string): string {
    if (this.#reader.isPlaceholder(value)) return value
    const name = `${namespace}:${value}`
    let drawn = this.#values.get(name)
    if (drawn === undefined) this.#values.set(name, (drawn = `nobody-${drawnText()}`))
    return drawn
  }

  #nameOf(name: string): string {
    const namespace = namespaceOf(name)
    return `${namespace}:${this.#valueOf(namespace, name.slice(namespace.length + 1))}`
  }

  #leaf(key: string, value: Json): Json {
    if (typeof value === 'string') return this.#text(key, value)
    if (typeof value === 'number') {
      if (!this.#scanner.isKey(key)) return value
      const text = JSON.stringify(value)
      const replaced = this.#text(key, text)
      return replaced === text ? value : replaced
    }
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((one) => this.#leaf(key, one))
    const members = Object.entries(value).map(
      ([name, one]) => [this.#text('', name), this.#leaf(name, one)] as const,
    )
    return Object.fromEntries(members)
  }

  #text(key: string, text: string): string {
    const eventId = this.#eventIds.get(text)
    if (eventId !== undefined) return eventId
    const names = this.#reader.namesOf(text, this.#namespaces)
    const known = names.find((name) => this.#values.has(name))
    if (known !== undefined) {
      const isWrittenOut = text.trim().startsWith(`${namespaceOf(known)}:`)
      return isWrittenOut ? this.#nameOf(known) : (this.#values.get(known) as string)
    }
    if (this.#namespaces.includes(key)) {
      const landed = this.#reader.read(key, text)?.landed
      if (landed !== undefined) return this.#valueOf(key, landed)
    }
    return this.#withoutWords(text)
  }

  /** Replaces values that are words in a text, the longest first. */
  #withoutWords(text: string): string {
    let result = ''
    let kept = 0
    let word: [from: number, to: number, drawn: string] | null = null
    const replace = () => {
      if (word === null) return
      const [from, to, drawn] = word
      result += text.slice(kept, from) + drawn
      kept = to
      word = null
    }
    for (const [from, to] of this.#search.find(text)) {
      if (from < kept) continue
      const drawn = this.#ofWord.get(foldedText(text.slice(from, to)))
      if (drawn === undefined) continue
      if (word !== null && from >= word[1]) replace()
      if (word === null || from === word[0]) word = [from, to, drawn]
    }
    replace()
    return result + text.slice(kept)
  }
}

/** Draws new event ids that sort like the old ones in event order. */
function drawnInOrder(rows: readonly Row[]): Map<string, string> {
  const places = rows.map((row): Place => [
    row['occurred_at'] as number,
    row['ordinal'] as number,
    row['event_id'] as string,
  ])
  const drawn = rows.map(drawnText).sort()
  return new Map(places.sort(comparePlaces).map(([, , id], n) => [id, drawn[n] as string]))
}

function drawnText(): string {
  return randomBytes(16).toString('hex')
}

function identifiersOf(row: Row): { [namespace: string]: string } {
  return JSON.parse(row['identifiers'] as string) as { [namespace: string]: string }
}

/** The two identifiers of an alias or unlink; an alias may have a condition beside them. */
function pairOf(row: Row, name: string): string[] {
  return typeof row[name] === 'string' ? (JSON.parse(row[name]) as string[]).slice(0, 2) : []
}
