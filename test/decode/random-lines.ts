/**
 * Random lines around what the decoder knows: events of both wire forms, with members left out,
 * repeated, renamed and nested, values that are almost right, and bytes changed at the end.
 */

/** Uniform numbers from a seed: the lines of a failure can be made again. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer from 0 up to `count`, exclusive. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }
}

/** JSON texts, valid alone. */
const TEXTS = [
  '"a"',
  '""',
  '" "',
  '" a"',
  '"a\u00a0"',
  '"é"',
  '"naïve 日本 🎉"',
  '"\u2028"',
  '"\\u0061"',
  '"\\""',
  '"\\\\"',
  '"\\/"',
  '"\\ud83c\\udf89"',
  '"\\ud800"',
  '"null"',
  '"NULL"',
  '"0"',
  '"0-0"',
  '"guest"',
  '"a:b"',
  '"user_id:u1"',
  '"email:x@y"',
  '"anonymous_id:a"',
  '"\u007f"',
  `"${'x'.repeat(256)}"`,
  `"${'é'.repeat(200)}"`,
  `"${'x'.repeat(257)}"`,
  `"${'🎉'.repeat(256)}"`,
]
const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '25',
  '1.5',
  '1.0',
  '1e3',
  '1E-7',
  '1e400',
  '999999999999999',
  '1234567890123456',
  '9007199254740991',
  '9007199254740993',
  '0.1',
]
const OTHERS = ['null', 'true', 'false', '{}', '[]', '[1,"a",{"b":[null]}]', '{"a":{"b":7}}']
/** Not JSON. */
const BROKEN = [
  '01',
  '.5',
  '1.',
  '"\\x"',
  '"\t"',
  '"\u0000"',
  'nul',
  'Null',
  '+1',
  '{"a"}',
  '[1,]',
  '',
]
const INSTANTS = [
  '"2026-03-01T10:00:00Z"',
  '"2026-03-01T10:00:00.123456Z"',
  '"2026-03-01T10:00:00.1Z"',
  '"2026-03-01T10:00:00.1234567899Z"',
  '"2026-03-01T11:00:00+01:00"',
  '"2026-03-01T11:00:00.5-23:59"',
  '"2026-03-01t10:00:00z"',
  '"2026-03-01 10:00:00Z"',
  '"2026-02-29T10:00:00Z"',
  '"2024-02-29T23:59:59Z"',
  '"2026-13-01T10:00:00Z"',
  '"2026-03-00T10:00:00Z"',
  '"2026-0x-01T10:00:00Z"',
  '"2026-03-0xT10:00:00Z"',
  '"2026-03-01T24:00:00Z"',
  '"2026-03-01T10:60:00Z"',
  '"2026-03-01T10:00:60Z"',
  '"2026-03-01T10:00:61Z"',
  '"2026-03-01T10:00:00."',
  '"2026-03-01T10:00:00.Z"',
  '"2026-03-01T10:00:00"',
  '"2026-03-01T10:00:00+24:00"',
  '"2026-03-01T10:00:00.12345"',
  '"2026-03-01T10:00:00Z "',
  '"2026-03-02T12:00:00Z"',
  '"2026-03-02T12:00:00.000001Z"',
  '"0001-01-01T00:00:00Z"',
  '"1700-01-01T00:00:00Z"',
  '"2255-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59Z"',
  '1772359200000',
  '1772359200000.5',
  '1772359200',
  '946684800000',
  '946684799999',
  '1e12',
  '99999999999999',
]
const NAMES = ['"Seen"', '"Priced"', '"Bought"', '"S\\u0065en"', '"Größe"']
const TYPES = ['"track"', '"page"', '"screen"', '"identify"', '"group"', '"alias"', '"t\\u0072ack"']
const SOURCES = ['"web"', '"ios"', '""', '"a\\nb"', 'null', '7']
const LIBRARIES = ['"analytics.js"', '"analytics-ios"', '"x\\u0069os"', '"Ruby"', '7', 'null']
const SPACES = ['', '', '', '', ' ', '\t', '\r', '  ']
/** Byte sequences that are not UTF-8, or only just are. */
const BYTES = [
  [0xff],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
  [0xf0, 0x9f, 0x8e, 0x89],
  [0x0a],
  [0],
]
const MEMBERS: { [name: string]: readonly string[] } = {
  event_id: ['"e1"', '"e2"', '"é"'],
  name: NAMES,
  occurred_at: INSTANTS,
  received_at: INSTANTS,
  ordinal: NUMBERS,
  source: SOURCES,
  type: TYPES,
  messageId: ['"m1"', '"m2"'],
  event: NAMES,
  userId: ['"u1"', '25', ...TEXTS],
  anonymousId: ['"a1"', ...TEXTS],
  previousId: ['"u0"', '7'],
  timestamp: INSTANTS,
  originalTimestamp: INSTANTS,
  sentAt: INSTANTS,
  receivedAt: INSTANTS,
  alias: [
    '["user_id:a","email:b"]',
    '["user_id:a","user_id:b","if_carried"]',
    '["user_id:a"]',
    'null',
    '[" user_id:a","email: b"]',
  ],
  unlink: ['["user_id:a","user_id:b"]', 'null'],
  redacted: ['{"values":1,"key":"0"}'],
}
const NATIVE = ['event_id', 'name', 'occurred_at', 'identifiers']
const NATIVE_MORE = ['received_at', 'ordinal', 'source', 'properties', 'context', 'alias', 'unlink']
const SEGMENT = ['type', 'messageId', 'event', 'userId', 'timestamp']
const SEGMENT_MORE = [
  'anonymousId',
  'originalTimestamp',
  'sentAt',
  'receivedAt',
  'properties',
  'traits',
  'context',
  'previousId',
]
const IDENTIFIERS = [
  'user_id',
  'email',
  'anonymous_id',
  'device_id',
  'cookie',
  '7',
  '__proto__',
  'é',
]
const INNER = ['a', 'b', 'c', 'price', 'email', 'source', 'id', 'name', '__proto__', 'toString', '']
const OBJECTS = ['traits', 'device', 'library', 'a']

export class RandomLines {
  readonly #random: Seeded

  constructor(seed: number) {
    this.#random = new Seeded(seed)
  }

  /** Returns the next line, without its line break unless a change of bytes made one. */
  line(): Buffer {
    const random = this.#random
    const isNative = random.chance(60)
    const names = isNative
      ? [...NATIVE, ...NATIVE_MORE.filter(() => random.chance(35))]
      : [...SEGMENT, ...SEGMENT_MORE.filter(() => random.chance(35))]
    if (random.chance(8)) names.splice(random.below(names.length), 1)
    if (random.chance(4)) names.push(random.pick([...names, ...NATIVE, ...SEGMENT, 'x']))
    if (random.chance(10)) names.sort(() => random.below(3) - 1)
    const members = names.map((name) => [name, this.#member(name)] as const)
    const text = this.#space() + this.#object(members) + this.#space()
    return this.#changed(Buffer.from(text))
  }

  #member(name: string): string {
    const random = this.#random
    if (random.chance(3)) return random.pick(OTHERS)
    if (random.chance(1)) return random.pick([...BROKEN, ...TEXTS, ...NUMBERS])
    if (name === 'identifiers') return this.#identifiers()
    if (name === 'properties' || name === 'traits' || name === 'context')
      return this.#inner(name, 0)
    // Mostly a sound value, else few lines are accepted.
    const values = MEMBERS[name] ?? OTHERS
    return random.chance(85) ? (values[0] as string) : random.pick(values)
  }

  #identifiers(): string {
    const random = this.#random
    const names = IDENTIFIERS.filter((_, i) => random.chance(i === 0 ? 80 : 12))
    if (random.chance(2)) names.push(random.pick(IDENTIFIERS))
    return this.#object(
      names.map((name) => {
        const value = random.chance(75) ? `"${name}-${random.below(50)}"` : this.#scalar()
        return [name, value] as const
      }),
    )
  }

  #scalar(): string {
    const random = this.#random
    return random.pick(random.pick([TEXTS, TEXTS, NUMBERS, OTHERS]))
  }

  #inner(name: string, depth: number): string {
    const random = this.#random
    if (name === 'library') return this.#object([['name', random.pick(LIBRARIES)]])
    if (random.chance(1)) return nested(random.pick([100, 499, 500, 501, 600]), random.chance(50))
    const names = [...INNER, ...OBJECTS].filter(() => random.chance(18))
    if (random.chance(3)) names.push(random.pick(INNER))
    return this.#object(
      names.map((inner) => {
        const isObject = depth < 3 && OBJECTS.includes(inner) && random.chance(80)
        const isPrice = inner === 'price' && random.chance(70)
        const value = isPrice ? String(random.below(100)) : this.#scalar()
        return [inner, isObject ? this.#inner(inner, depth + 1) : value] as const
      }),
    )
  }

  #object(members: readonly (readonly [name: string, value: string])[]): string {
    const parts = members.map(([name, value]) => {
      const isEscaped = this.#random.chance(1) && name !== ''
      const first = name.charCodeAt(0).toString(16).padStart(4, '0')
      const key = isEscaped ? `"\\u${first}${name.slice(1)}"` : JSON.stringify(name)
      return `${this.#space()}${key}${this.#space()}:${this.#space()}${value}${this.#space()}`
    })
    return `{${parts.join(',')}}`
  }

  #space(): string {
    return this.#random.chance(95) ? '' : this.#random.pick(SPACES)
  }

  /** Changes, cuts or adds bytes of few lines. */
  #changed(line: Buffer): Buffer {
    const random = this.#random
    if (!random.chance(5)) return line
    const at = random.below(line.length)
    const piece = random.pick([
      ...BYTES,
      ...[...'{}[],:"\\0e- x\u00a0'].map((c) => [...Buffer.from(c)]),
    ])
    const end = random.pick([at, at + 1, at + piece.length, line.length])
    return Buffer.concat([line.subarray(0, at), Buffer.from(piece), line.subarray(end)])
  }
}

function nested(depth: number, isObject: boolean): string {
  return isObject
    ? `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    : `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
}
