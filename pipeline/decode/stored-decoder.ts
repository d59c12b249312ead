/**
 * Decodes stored events from their columns, without a line.
 *
 * Stored values are final: hashed values are not hashed again, and accepted events are not checked
 * against event definitions or limits again. What identity and journeys read of an event depends on
 * the definitions: declared namespaces, placeholders and operand paths.
 */

import { kindOfAlias, type Alias } from '../base/identifier.ts'
import type { Json } from '../base/json.ts'
import type { Identity } from '../definition/settings.ts'
import type { Correction } from './event-batch.ts'
import { IdentifierReader, namesPerson } from './identifier-values.ts'
import { valueAt } from './operand-value.ts'

/** Row of `events`, with the JSON columns as text. */
export type StoredRow = { [column: string]: unknown }

/** Identifiers by declared namespace: `namespace:value`; undefined if absent or a placeholder. */
export type Identifiers = readonly (string | undefined)[]

/** Texts of identifiers that are cached: those of one device repeat. */
const TEXTS_MAX = 50_000

/** Columns that operand paths may begin with. */
const WITH_OPERANDS = ['properties', 'context']

export class StoredDecoder {
  readonly namespaces: readonly string[]
  /** Columns that the operands are read from. */
  readonly operandColumns: readonly string[]
  readonly #identity: Identity
  readonly #reader: IdentifierReader
  readonly #paths: string[][]
  readonly #known = new Map<string, Identifiers>()

  constructor(identity: Identity, operandPaths: readonly string[]) {
    this.#identity = identity
    this.namespaces = [...identity.person, ...identity.device]
    this.#reader = new IdentifierReader({ ...identity, hashed: [] }, undefined)
    this.#paths = operandPaths.map((path) => path.split('.'))
    this.operandColumns = WITH_OPERANDS.filter((name) =>
      this.#paths.some(([from]) => from === name),
    )
  }

  get operandCount(): number {
    return this.#paths.length
  }

  /** Returns what the stored `identifiers` mean; none is defined if they name nobody. */
  identifiersOf(text: string): Identifiers {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const landed = JSON.parse(text) as { [namespace: string]: string }
    const identifiers = this.namespaces.map((namespace) => {
      const value = Object.hasOwn(landed, namespace) ? landed[namespace] : undefined
      if (value === undefined || this.#reader.isPlaceholder(value)) return undefined
      return `${namespace}:${value}`
    })
    if (this.#known.size >= TEXTS_MAX) this.#known.clear()
    this.#known.set(text, identifiers)
    return identifiers
  }

  /** Returns the pairs that the stored `alias` and `unlink` declare. */
  correctionsOf({ alias = null, unlink = null }: StoredRow): Omit<Correction, 'row'>[] {
    if (alias === null && unlink === null) return []
    const corrections: Omit<Correction, 'row'>[] = []
    const add = (kind: Correction['kind'], a: string, b: string) => {
      const counts = [a, b].every((one) => namesPerson(one, this.#identity, this.#reader))
      if (counts) corrections.push({ kind, a, b })
    }
    if (typeof alias === 'string') {
      const landed = JSON.parse(alias) as Alias
      add(kindOfAlias(landed), landed[0], landed[1])
    }
    if (typeof unlink === 'string') add('unlink', ...(JSON.parse(unlink) as [string, string]))
    return corrections
  }

  /** Returns the values of the operand paths, from the `operandColumns` of a row. */
  operandsOf(row: StoredRow): (Json | undefined)[] {
    if (this.#paths.length === 0) return []
    const event: StoredRow = { name: row['name'], source: row['source'] }
    for (const name of this.operandColumns) event[name] = JSON.parse(row[name] as string)
    return this.#paths.map((path) => valueAt(event, path))
  }
}
