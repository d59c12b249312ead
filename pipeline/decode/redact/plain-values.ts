/**
 * Replaces values of hashed namespaces in a line of JSON by their hashes. The rest of the line
 * stays as the sender wrote it, and a redacted line is decoded like the plain one.
 *
 * Values of a namespace are: every text and number in a member with its name, at any depth
 * (`user_id`, `userId` and `User ID` are the same name), its identifiers in `alias` and `unlink`,
 * and what Segment keeps under other names. Each is replaced there and everywhere else in the line.
 * A `previousId` that equals the call's `anonymousId` is not a user id (see `segment-format.ts`).
 */

import { parseInstant } from '../../base/clock.ts'
import { IF_CARRIED } from '../../base/identifier.ts'
import type { Identity } from '../../definition/settings.ts'
import { hashOf } from '../hash-key.ts'
import { HASH, IdentifierReader, textOf } from '../identifier-values.ts'
import { walkJson, type Place, type TokenKind } from '../scan/json-tokens.ts'
import { isLong, ValueMatcher } from './value-matcher.ts'

/** Members of the wire formats, which are never values. */
const MEMBERS = [
  'event_id',
  'name',
  'occurred_at',
  'ordinal',
  'received_at',
  'source',
  'identifiers',
  'properties',
  'context',
  'alias',
  'unlink',
  'type',
  'event',
  'messageId',
  'userId',
  'anonymousId',
  'previousId',
  'groupId',
  'traits',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'library',
  'device',
  'id',
]
/** Namespaces of members that Segment names differently. */
const ELSEWHERE = new Map([
  ['previousId', ['user_id', 'anonymous_id']],
  ['context.device.id', ['device_id']],
])
const PAIRS = ['alias', 'unlink']
/** Members that are read as instants and not stored as text. */
const INSTANTS = [
  'occurred_at',
  'received_at',
  'timestamp',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
]
const NAME_BYTES_MAX = 1024

/** Line that may be stored, and the number of replacements. */
export type Replaced = { bytes: Uint8Array; count: number }

type Edit = { from: number; to: number; text: string }

export class PlainValues {
  readonly #names: Set<string>
  readonly #elsewhere: Map<string, boolean>
  readonly #members: Set<string>
  readonly #reader: IdentifierReader
  readonly #hash: (trimmed: string) => string

  /** Without a key, only `has` may be called. */
  constructor(identity: Identity, key: string | null) {
    this.#names = new Set(identity.hashed.map(folded))
    this.#elsewhere = new Map(
      [...ELSEWHERE].map(([path, namespaces]) => [
        path,
        namespaces.some((namespace) => this.#names.has(folded(namespace))),
      ]),
    )
    this.#members = new Set([...MEMBERS, ...identity.person, ...identity.device])
    this.#reader = new IdentifierReader({ ...identity, hashed: [] }, undefined)
    this.#hash = (trimmed) => hashOf(key ?? '', trimmed)
  }

  /** Returns whether a word belongs to the wire formats, regardless of the person. */
  isMember(word: string): boolean {
    return this.#members.has(word)
  }

  /** Returns whether a line of JSON contains a value that is not hashed. */
  has(line: Uint8Array): boolean {
    return this.#find(line, true).edits.length > 0
  }

  /** Redacts a JSON object. With `isRedacted`, values that look like hashes are hashes. */
  replace(line: Uint8Array, isRedacted: boolean): Replaced {
    const { edits, values } = this.#find(line, isRedacted)
    if (edits.length === 0) return { bytes: line, count: 0 }
    const all = values.size === 0 ? edits : merged(edits, this.#occurrences(line, values))
    return { bytes: edited(line, all), count: all.length }
  }

  /** Finds the values where they are named, and their replacements. */
  #find(line: Uint8Array, isRedacted: boolean): { edits: Edit[]; values: Map<string, string> } {
    const values = new Map<string, string>()
    const edits: Edit[] = []
    const hashed = (text: string): string | null => {
      const trimmed = text.trim()
      if (this.#reader.isPlaceholder(trimmed)) return null
      if (isRedacted && HASH.test(trimmed)) return null
      let hash = values.get(trimmed)
      if (hash === undefined) values.set(trimmed, (hash = this.#hash(trimmed)))
      return hash
    }
    const replace = ({ kind, from, to, text }: Token) => {
      const hash = hashed(text.shown)
      if (hash === null) return
      // What no identifier can be stays so: a hash in its place would be one.
      const json = text.value === null ? `["${hash}"]` : `"${hash}"`
      edits.push(kind === 'text' ? quoted(from, to, json) : { from, to, text: json })
    }
    const ownDevices = new Set<string>()
    const previous: Token[] = []
    this.#walk(line, (kind, from, to, place) => {
      if (kind === 'key') return
      const text = kind === 'text' ? textAt(line, from, to) : numberAt(line, from, to)
      if (isMember(place, 'anonymousId')) ownDevices.add(text.shown.trim())
      if (this.#isValue(place)) {
        const token = { kind, from, to, text }
        if (isMember(place, 'previousId')) previous.push(token)
        else replace(token)
      } else if (isPair(place)) {
        if (text.shown === IF_CARRIED) return
        const colon = text.shown.indexOf(':')
        const prefix = text.shown.slice(0, Math.max(0, colon))
        if (colon > 0 && !this.#names.has(folded(prefix))) return
        const hash = hashed(text.shown.slice(colon + 1))
        if (hash === null) return
        const json = JSON.stringify(colon > 0 ? `${prefix}:${hash}` : hash)
        edits.push(kind === 'text' ? quoted(from, to, json) : { from, to, text: json })
      }
    })
    for (const token of previous) {
      const value = token.text.shown.trim()
      if (!ownDevices.has(value) || values.has(value)) replace(token)
    }
    if (previous.length > 0) edits.sort((a, b) => a.from - b.from)
    return { edits, values }
  }

  /** Finds values in the other texts, keys and numbers of the line. */
  #occurrences(line: Uint8Array, values: Map<string, string>): Edit[] {
    const edits: Edit[] = []
    const sought = Array.from(values, ([value, hash]) => ({ value, hash }))
    const matcher = new ValueMatcher(sought)
    this.#walk(line, (kind, from, to, place) => {
      if (kind === 'number') {
        if (place.depth === 1 || this.#isValue(place)) return
        const { shown } = numberAt(line, from, to)
        const hash = isLong(shown) ? values.get(shown) : undefined
        if (hash !== undefined) edits.push({ from, to, text: `"${hash}"` })
        return
      }
      if (kind === 'key' ? this.#isMemberAt(line, from, to) : this.#isKept(line, from, to, place)) {
        return
      }
      const isCanonical = place.depth === 1 || place.names[0] === 'identifiers' || isPair(place)
      matcher.find(line, from, to, !isCanonical, (start, end, text) =>
        edits.push({ from: start, to: end, text }),
      )
    })
    return edits
  }

  #walk(line: Uint8Array, visit: (k: TokenKind, from: number, to: number, p: Place) => void) {
    walkJson(line, (from, to) => this.#isName(line, from, to), visit)
  }

  #isName(line: Uint8Array, from: number, to: number): boolean {
    return to - from <= NAME_BYTES_MAX && this.#names.has(folded(textAt(line, from, to).shown))
  }

  #isMemberAt(line: Uint8Array, from: number, to: number): boolean {
    if (to - from > NAME_BYTES_MAX) return false
    return this.#isName(line, from, to) || this.#members.has(textAt(line, from, to).shown)
  }

  #isValue({ depth, names, isNamed }: Place): boolean {
    if (isNamed) return true
    return names.length === depth && this.#elsewhere.get(names.join('.')) === true
  }

  /** Returns whether a text is not searched: it is replaced whole, or not stored. */
  #isKept(line: Uint8Array, from: number, to: number, place: Place): boolean {
    if (this.#isValue(place)) return true
    const [member = ''] = place.names
    if (place.depth !== 1) return false
    if (member === 'type') return true
    return INSTANTS.includes(member) && parseInstant(textAt(line, from, to).shown) !== null
  }
}

/** Returns a name without case and punctuation. */
function folded(name: string): string {
  const letters = name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
  return letters === '' ? name : letters
}

function isMember({ depth, names }: Place, name: string): boolean {
  return depth === 1 && names.length === 1 && names[0] === name
}

function isPair({ depth, names }: Place): boolean {
  return depth >= 1 && PAIRS.includes(names[0] ?? '')
}

function quoted(from: number, to: number, text: string): Edit {
  return { from: from - 1, to: to + 1, text }
}

/** `value` is null if it cannot be an identifier; `shown` is its text in any case. */
type Scalar = { shown: string; value: string | null }

type Token = { kind: TokenKind; from: number; to: number; text: Scalar }

function textAt(line: Uint8Array, from: number, to: number): Scalar {
  const raw = Buffer.from(line.buffer, line.byteOffset + from, to - from).toString()
  const shown = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
  return { shown, value: textOf(shown) }
}

function numberAt(line: Uint8Array, from: number, to: number): Scalar {
  const raw = Buffer.from(line.buffer, line.byteOffset + from, to - from).toString()
  const value = textOf(Number(raw))
  return { shown: value ?? raw, value }
}

/** Merges the edits of both walks in line order. Edits of the first replace whole tokens and may
 * contain edits of the second. */
function merged(first: readonly Edit[], second: readonly Edit[]): Edit[] {
  const all: Edit[] = []
  let next = 0
  let done = 0
  for (const edit of second) {
    while (next < first.length && (first[next] as Edit).from <= edit.from) {
      const whole = first[next] as Edit
      all.push(whole)
      done = whole.to
      next += 1
    }
    if (edit.from >= done) all.push(edit)
  }
  return [...all, ...first.slice(next)]
}

function edited(line: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = []
  let done = 0
  for (const { from, to, text } of edits) {
    parts.push(line.subarray(done, from), Buffer.from(text))
    done = to
  }
  return Buffer.concat([...parts, line.subarray(done)])
}
