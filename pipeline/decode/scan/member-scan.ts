/**
 * Checks the bytes of a JSON object and finds the members at given paths, in one pass and without
 * making a value.
 */

import {
  CLOSE_BRACE,
  COLON,
  COMMA,
  endOfPlain,
  endOfText,
  endOfValue,
  OPEN_BRACE,
  QUOTE,
  skipSpace,
  SPACE,
  SPACE_IN_LINE,
} from './json-scan.ts'
import { NESTING_MAX } from '../limits.ts'

/** Types of a member's value; a text without escapes is plain. */
export const ABSENT = 0
export const PLAIN_TEXT = 1
export const ESCAPED_TEXT = 2
export const OBJECT = 3
export const NULL = 4
/** A number, a boolean or an array. */
export const OTHER = 5

const LETTER_N = 0x6e
const LINE_FEED = 0x0a

/** A member that is looked for, or an object with such members. */
class Member {
  readonly name: Buffer
  readonly slot: number
  /** Members that are looked for in it, by the length of their names in bytes. */
  readonly members: Member[][] = []
  /** The member that came first the last time, and the one that came after this: a guess. */
  first: Member | null = null
  next: Member | null = null

  constructor(name: string, slot: number) {
    this.name = Buffer.from(name)
    this.slot = slot
  }

  add(member: Member): void {
    const { length } = member.name
    while (this.members.length <= length) this.members.push([])
    this.members[length]?.push(member)
  }

  /** Whether the bytes from here on are the name and its closing quote. */
  isAt(bytes: Uint8Array, from: number): boolean {
    const { name } = this
    for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false
    return bytes[from + name.length] === QUOTE
  }

  find(bytes: Uint8Array, from: number, to: number): Member | null {
    if (to - from >= this.members.length) return null
    const candidates = this.members[to - from] as Member[]
    for (let i = 0; i < candidates.length; i++) {
      const { name } = candidates[i] as Member
      let same = 0
      while (same < name.length && name[same] === bytes[from + same]) same += 1
      if (same === name.length) return candidates[i] as Member
    }
    return null
  }
}

/** Finds the members of one line after another. */
export class MemberScan {
  readonly #root = new Member('', -1)
  readonly #byPath = new Map([['', this.#root]])
  /** By slot: the type of the value in the last line. */
  types = new Uint8Array(0)
  /** By slot, where it is not absent: the bytes of the value, a text without its quotes. */
  from = new Int32Array(0)
  to = new Int32Array(0)

  /** Looks for the member at a path, names joined by dots, from now on; returns its slot. */
  slot(path: string): number {
    return this.#member(path).slot
  }

  #member(path: string): Member {
    const known = this.#byPath.get(path)
    if (known !== undefined) return known
    const dot = path.lastIndexOf('.')
    const parent = this.#member(path.slice(0, Math.max(0, dot)))
    const slot = this.types.length
    this.types = new Uint8Array(slot + 1)
    this.from = new Int32Array(slot + 1)
    this.to = new Int32Array(slot + 1)
    const member = new Member(path.slice(dot + 1), slot)
    parent.add(member)
    this.#byPath.set(path, member)
    return member
  }

  /**
   * Scans the line that begins at one byte and ends at the next line break or at `end`. Returns where
   * it ends. Returns -1 where it is not a JSON object, is nested too deeply, or, around a member that
   * is looked for, has a name with an escape or one of these members twice.
   */
  scan(bytes: Uint8Array, from: number, end: number): number {
    const { types } = this
    // For so few, faster than a call of `fill`.
    for (let slot = 0; slot < types.length; slot++) types[slot] = ABSENT
    const start = skipSpace(bytes, from, SPACE_IN_LINE)
    if (bytes[start] !== OPEN_BRACE) return -1
    const close = this.#object(bytes, start, this.#root, NESTING_MAX - 1)
    if (close < 0) return -1
    const to = skipSpace(bytes, close, SPACE_IN_LINE)
    return to === end || (to < end && bytes[to] === LINE_FEED) ? to : -1
  }

  /** Takes the position of the opening brace; returns the one after the closing brace, or -1. */
  #object(bytes: Uint8Array, from: number, parent: Member, nestingMax: number): number {
    let at = skipSpace(bytes, from + 1, SPACE_IN_LINE)
    if (bytes[at] === CLOSE_BRACE) return at + 1
    let last: Member | null = null
    for (;;) {
      if (bytes[at] !== QUOTE) return -1
      const nameFrom = at + 1
      let member: Member | null = last === null ? parent.first : last.next
      if (member !== null && member.isAt(bytes, nameFrom)) at = nameFrom + member.name.length
      else {
        at = endOfPlain(bytes, nameFrom)
        if (bytes[at] !== QUOTE) return -1
        member = parent.find(bytes, nameFrom, at)
        if (member !== null) {
          if (last === null) parent.first = member
          else last.next = member
        }
      }
      if (member !== null) last = member
      at += 1
      if (bytes[at] !== COLON) {
        at = skipSpace(bytes, at, SPACE_IN_LINE)
        if (bytes[at] !== COLON) return -1
      }
      at += 1
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, SPACE_IN_LINE)
      if (member === null) at = endOfValue(bytes, at, SPACE_IN_LINE, nestingMax)
      else if (this.types[member.slot] !== ABSENT) return -1
      else at = this.#value(bytes, at, member, nestingMax)
      if (at < 0) return -1
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, SPACE_IN_LINE)
      if (bytes[at] === CLOSE_BRACE) return at + 1
      if (bytes[at] !== COMMA) return -1
      at += 1
      if ((bytes[at] as number) <= SPACE) at = skipSpace(bytes, at, SPACE_IN_LINE)
    }
  }

  #value(bytes: Uint8Array, from: number, member: Member, nestingMax: number): number {
    const first = bytes[from]
    if (first === QUOTE) return this.#text(bytes, from + 1, member.slot)
    let type = first === LETTER_N ? NULL : OTHER
    let end: number
    if (first === OPEN_BRACE) {
      type = OBJECT
      if (nestingMax === 0) return -1
      end =
        member.members.length > 0
          ? this.#object(bytes, from, member, nestingMax - 1)
          : endOfValue(bytes, from, SPACE_IN_LINE, nestingMax)
    } else end = endOfValue(bytes, from, SPACE_IN_LINE, nestingMax)
    this.types[member.slot] = type
    this.from[member.slot] = from
    this.to[member.slot] = end
    return end
  }

  #text(bytes: Uint8Array, from: number, slot: number): number {
    let end = endOfPlain(bytes, from)
    this.types[slot] = PLAIN_TEXT
    if (bytes[end] === QUOTE) end += 1
    else {
      this.types[slot] = ESCAPED_TEXT
      end = endOfText(bytes, end)
    }
    this.from[slot] = from
    this.to[slot] = end - 1
    return end
  }
}
