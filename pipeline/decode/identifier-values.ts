/**
 * Identifier values as they are stored: trimmed, placeholders recognized, values of hashed
 * namespaces replaced by their hashes.
 */

import { HASH_KEY_VARIABLE, hashOf, requiredKey } from './hash-key.ts'
import type { Identity } from '../definition/settings.ts'

/** Placeholder values, which identify no one, in lower case. */
const IGNORED = [
  '',
  'null',
  'undefined',
  'none',
  'nil',
  'unknown',
  'anonymous',
  'guest',
  '-1',
  '0',
  'true',
  'false',
  'nan',
  '[object object]',
]

const ONLY_ZEROS_AND_DASHES = /^[0-]+$/
/** Form of a hashed value. */
export const HASH = /^[0-9a-f]{64}$/

/** Identifier read from input. `isIgnored` marks a placeholder. */
export type ReadValue = { landed: string; isIgnored: boolean }

export class IdentifierReader {
  readonly #ignored: Set<string>
  readonly #hashed: Set<string>
  readonly #hashKey: string | null

  /** Throws if a namespace is hashed and the key is missing. */
  constructor(identity: Identity, hashKey: string | undefined) {
    this.#ignored = new Set([...IGNORED, ...identity.ignore.map((value) => fold(value))])
    this.#hashed = new Set(identity.hashed)
    this.#hashKey = requiredKey(identity, hashKey)
  }

  /** Returns null if the value is neither a text nor a number that keeps all its digits. */
  read(namespace: string, value: unknown): ReadValue | null {
    const text = textOf(value)
    if (text === null) return null
    const trimmed = text.trim()
    const isIgnored = this.isPlaceholder(trimmed)
    if (isIgnored || !this.#hashed.has(namespace)) return { landed: trimmed, isIgnored }
    return { landed: hashOf(this.#hashKey as string, trimmed), isIgnored }
  }

  /** Returns the identifiers of `namespaces` that a text can mean, as a value or as
   * `namespace:value`. */
  namesOf(text: string, namespaces: readonly string[]): string[] {
    const [prefix, rest] = splitIdentifier(text.trim()) ?? ['', '']
    const asValue = namespaces.map((namespace) => [namespace, text] as const)
    const isWrittenOut = namespaces.includes(prefix)
    const pairs = isWrittenOut ? [[prefix, rest] as const, ...asValue] : asValue
    const names = pairs.flatMap(([namespace, value]) => {
      const read = this.read(namespace, value)
      if (read === null || read.isIgnored) return []
      const names = [`${namespace}:${read.landed}`]
      const isHash = this.#hashed.has(namespace) && HASH.test(value)
      return isHash ? [...names, `${namespace}:${value}`] : names
    })
    return [...new Set(isWrittenOut ? [...names, text.trim()] : names)]
  }

  /** Returns whether a stored value is on the ignore list. */
  isPlaceholder(landed: string): boolean {
    return this.#ignored.has(landed.toLowerCase()) || ONLY_ZEROS_AND_DASHES.test(landed)
  }
}

function fold(value: string): string {
  return value.trim().toLowerCase()
}

/** Returns null for whole numbers beyond 2^53, because several of them would be read as the same
 * one. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? value : null
  if (typeof value !== 'number' || !Number.isFinite(value)) return null
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : JSON.stringify(value)
}

/** Splits `namespace:value` at the first colon; null if it is not of that form. */
export function splitIdentifier(identifier: unknown): [namespace: string, value: string] | null {
  if (typeof identifier !== 'string') return null
  const colon = identifier.indexOf(':')
  return colon <= 0 ? null : [identifier.slice(0, colon), identifier.slice(colon + 1)]
}

/** Returns whether `namespace:value` is a declared person identifier and not a placeholder. */
export function namesPerson(
  identifier: string,
  { person }: Pick<Identity, 'person'>,
  reader: IdentifierReader,
): boolean {
  const [namespace, value] = splitIdentifier(identifier) ?? ['', '']
  return person.includes(namespace) && !reader.isPlaceholder(value)
}

/** Returns the stored form of a value. Values of hashed namespaces may be given hashed, or plain if
 * the key is set. */
export function landedValue(identity: Identity, namespace: string, value: string): string {
  const key = process.env[HASH_KEY_VARIABLE]
  const isLanded = !identity.hashed.includes(namespace) || HASH.test(value)
  if (isLanded || key === undefined || key === '') return value
  return new IdentifierReader(identity, key).read(namespace, value)?.landed ?? value
}
