/**
 * Random input for the property tests: events whose instants collide and fall on the limits of
 * sessions and timeouts, people who share and change identifiers, and random valid definitions.
 */

import fc from 'fast-check'
import type { Candidate, Effect, Journey, State, Track } from '../../pipeline/definition/journey.ts'
import type { Guard, Operators } from '../../pipeline/definition/guard-syntax.ts'
import type { Identity, Sessions } from '../../pipeline/definition/settings.ts'
import type { Json } from '../../pipeline/base/json.ts'
import type { AcceptedEvent } from '../reference/reference.ts'

const MINUTE = 60_000_000
/** 2026-03-01T10:00:00Z */
const START = 1_772_359_200_000_000

const NAMES = ['A', 'B', 'C', 'D', 'N']
const STATES = ['s0', 's1', 's2', 's3']
const USERS = ['u1', 'u2', 'u3', 'null', 'd1']
const EMAILS = ['e1', 'e2', 'e3', ' E1']
const DEVICES = ['d1', 'd2', 'd3']

const value: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  null,
  0,
  1,
  2,
  10,
  '1',
  '',
  'x',
  'xy',
  '\u{1f600}',
  '\uffee',
  true,
  false,
  [],
  [1, null],
  { a: 1 },
)

/** Offsets around the session gap of half an hour and the timeouts of `delay`. */
const offset = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n) => n * 10 * MINUTE),
  fc.integer({ min: 0, max: 12 }).map((n) => n * 10 * MINUTE + 1),
  fc.integer({ min: 0, max: 300 }).map((n) => n * MINUTE),
)

const correction = fc.constantFrom<[string, string]>(
  ['user_id:u1', 'user_id:u2'],
  ['user_id:u1', 'email:e1'],
  ['email:e1', 'email:e2'],
  ['email:e2', 'user_id:u2'],
  ['user_id:u3', 'email:e1'],
  ['user_id:null', 'user_id:u1'],
  ['anonymous_id:d1', 'user_id:u1'],
  ['user_id:u1', 'user_id:u1'],
)

/** Events carry `user_id:d1` rarely and `user_id:d2` never. */
const alias = fc.oneof<fc.Arbitrary<NonNullable<AcceptedEvent['alias']>>[]>(
  correction,
  fc.constantFrom(
    ['user_id:d1', 'user_id:u1', 'if_carried'],
    ['user_id:u2', 'user_id:d1', 'if_carried'],
    ['user_id:d2', 'user_id:d1', 'if_carried'],
    ['user_id:u1', 'user_id:u2', 'if_carried'],
    ['email:e3', 'user_id:u1', 'if_carried'],
    ['user_id:null', 'user_id:u1', 'if_carried'],
  ),
)

const rare = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 5 })
const often = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 })

/** Event without its id. */
const body = fc.record({
  name: fc.constantFrom(...NAMES),
  occurred_at: offset.map((n) => START + n),
  ordinal: fc.constantFrom(0, 0, 0, -1, 1),
  source: fc.constantFrom('web', 'ios'),
  user_id: rare(fc.constantFrom(...USERS)),
  email: fc.option(fc.constantFrom(...EMAILS), { nil: undefined, freq: 4 }),
  anonymous_id: often(fc.constantFrom(...DEVICES)),
  device_id: rare(fc.constantFrom('t1', 't2')),
  other: rare(fc.constantFrom('o1', 'o2')),
  v: rare(value),
  k: rare(value),
  campaign: rare(value),
  alias: fc.option(alias, { nil: undefined, freq: 8 }),
  unlink: fc.option(correction, { nil: undefined, freq: 12 }),
})

const ids = ['e', 'a/b', 'a%', 'z\u{1f600}', 'z\uffee', 'A', '-', 'a']

/** Events with distinct ids; some have no identifier and are refused. */
export const eventStream: fc.Arbitrary<AcceptedEvent[]> = fc
  .array(body, { minLength: 1, maxLength: 40 })
  .map((bodies) =>
    bodies.map((event, i) => {
      const { user_id, email, anonymous_id, device_id, other } = event
      const given = { user_id, email, anonymous_id, device_id, other }
      const identifiers = Object.fromEntries(
        Object.entries(given).filter(([, one]) => one !== undefined),
      ) as { [namespace: string]: string }
      const { alias, unlink, v, k, campaign } = event
      return {
        event_id: `${ids[i % ids.length]}${i}`,
        name: event.name,
        occurred_at: event.occurred_at,
        ordinal: event.ordinal,
        source: event.source,
        identifiers,
        properties: { ...(v === undefined ? {} : { v }), ...(k === undefined ? {} : { k }) },
        context: campaign === undefined ? {} : { campaign: { source: campaign } },
        ...(alias === undefined ? {} : { alias }),
        ...(unlink === undefined ? {} : { unlink }),
      }
    }),
  )

export const identity: fc.Arbitrary<Partial<Identity>> = fc.record(
  {
    contested: fc.constantFrom<Identity['contested']>('last-known', 'anonymous', 'first'),
    maxPersonsPerDevice: fc.constantFrom(1, 2, 8),
    exclusive: fc.constantFrom(['user_id'], [], ['user_id', 'email'], ['email']),
    ignore: fc.constantFrom([], ['u3', 'E2']),
  },
  { requiredKeys: [] },
)

export const sessions: fc.Arbitrary<Partial<Sessions>> = fc.record(
  {
    gap: fc.constantFrom('30m', '10m', '1h'),
    splitOn: fc.constantFrom(
      [],
      ['context.campaign.source'],
      ['properties.v', 'properties.k'],
      ['source'],
    ),
    maxDuration: fc.constantFrom('1h', '40m'),
  },
  { requiredKeys: [] },
)

const operators: fc.Arbitrary<Operators> = fc.oneof(
  fc
    .constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte')
    .chain((op) =>
      fc.constantFrom<Json>(0, 1, 2, '1', 'x', true, [1, null], '\uffee').map((v) => ({ [op]: v })),
    ),
  fc.constantFrom<Operators>(
    { exists: true },
    { exists: false },
    { in: [1, 'x', null, [1, null]] },
    { startsWith: 'x' },
    { contains: 'y' },
    { contains: 1 },
    { gt: 0, lt: 10 },
    { eq: null },
  ),
)
const counting = fc.constantFrom({ gte: 2 }, { eq: 1 }, { lt: 3 }, { ne: 2 })

/** Returns guards on `track`, one of `tracks`. */
function guards(tracks: string[]): fc.Arbitrary<Guard> {
  const place = fc.tuple(fc.constantFrom(...tracks), fc.constantFrom(...STATES))
  const leaf: fc.Arbitrary<Guard> = fc.oneof(
    operators.map((ops) => ({ property: 'v', ...ops })),
    operators.map((ops) => ({ context: 'campaign.source', ...ops })),
    fc.constantFrom<Guard>({ field: 'source', eq: 'web' }, { field: 'name', in: ['A', 'B'] }),
    fc.tuple(fc.constantFrom(...NAMES), counting).map(([count, ops]) => ({ count, ...ops })),
    fc.tuple(place, counting).map(([[t, s], ops]) => ({ visits: `${t}.${s}`, ...ops })),
    fc.tuple(fc.constantFrom(...STATES), counting).map(([s, ops]) => ({ visits: s, ...ops })),
    place.map(([t, s]) => ({ in: `${t}.${s}` })),
    fc.constantFrom<Guard>({ dwell: { gte: '10m' } }, { dwell: { lt: '20m' } }),
  )
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc.array(leaf, { minLength: 1, maxLength: 2 }).map((all) => ({ all })),
    },
    {
      weight: 1,
      arbitrary: fc.array(leaf, { minLength: 1, maxLength: 2 }).map((any) => ({ any })),
    },
    { weight: 1, arbitrary: leaf.map((not) => ({ not })) },
  )
}

/** Returns candidates: guarded ones, then possibly one without a guard. */
function candidates(tracks: string[]): fc.Arbitrary<Candidate[]> {
  const target = fc.constantFrom(...STATES, 'done')
  const effects = fc.constantFrom<Effect[]>(
    [],
    [],
    [{ type: 'note' }, { type: 'mail', within: '1h' }],
  )
  const guarded = fc.record({ target, guard: guards(tracks), effects })
  const last = fc.record({ target, effects })
  return fc
    .tuple(fc.array(guarded, { maxLength: 2 }), fc.option(last, { nil: undefined, freq: 2 }))
    .map(([list, end]) => (end === undefined ? list : [...list, end]))
    .filter((list) => list.length > 0)
}

const someNames = fc.subarray(NAMES, { maxLength: 2 })

function on(tracks: string[]): fc.Arbitrary<{ [name: string]: Candidate[] }> {
  return fc.dictionary(fc.constantFrom(...NAMES), candidates(tracks), { maxKeys: 3 })
}

/** Returns delays that grow with the state's number and lead upwards, so that timeouts form no
 * loop. */
function after(tracks: string[], number: number): fc.Arbitrary<NonNullable<State['after']>> {
  return fc
    .dictionary(
      fc.constantFrom('10m', '20m', '40m', '600s'),
      fc.tuple(guards(tracks), fc.boolean()),
      { maxKeys: 2 },
    )
    .map((delays) =>
      Object.fromEntries(
        Object.entries(delays).map(([delay, [guard, isGuarded]]) => {
          const target = STATES[number + 1] ?? 'done'
          return [delay, [isGuarded ? { target, guard } : { target }]]
        }),
      ),
    )
}

/** Returns a track in which every state is reachable and has an unmasked way out. */
function track(tracks: string[]): fc.Arbitrary<Track> {
  const state = (number: number): fc.Arbitrary<State> =>
    fc.record({
      on: on(tracks).map((map) => ({ ...map, N: STATES[number + 1] ?? 'done' })),
      after: after(tracks, number),
      ignore: someNames,
      effects: fc.constantFrom<Effect[]>([], [], [{ type: `in_s${number}` }]),
    })
  return fc
    .record({
      states: fc.tuple(state(0), state(1), state(2), state(3)),
      ignoreWhenDone: someNames,
      root: on(tracks),
      ignore: someNames,
    })
    .map(({ states, root, ignore, ignoreWhenDone }) => ({
      initial: 's0',
      states: {
        ...Object.fromEntries(states.map((one, i) => [`s${i}`, one])),
        done: { type: 'final' as const, ignore: ignoreWhenDone },
      },
      on: root,
      ignore,
    }))
}

const common = fc.record({
  startOn: fc.option(fc.subarray(NAMES, { minLength: 1, maxLength: 3 }), { nil: [] }),
  restart: fc.boolean(),
  isKeyed: fc.constantFrom(false, false, true),
  ignore: someNames,
})

export const journey: fc.Arbitrary<Journey> = fc
  .record({
    common,
    single: track(['main']),
    pair: fc.tuple(track(['pay', 'ship']), track(['pay', 'ship'])),
    isParallel: fc.boolean(),
  })
  .map(({ common: { isKeyed, ignore, ...rest }, single, pair, isParallel }): Journey => {
    const head = { id: 'j', version: 1, ...rest, ...(isKeyed ? { key: { property: 'k' } } : {}) }
    if (!isParallel) return { ...head, ...single }
    return { ...head, ignore, type: 'parallel', states: { pay: pair[0], ship: pair[1] } }
  })

/** Returns the events in some arrival order, cut into batches, with some redelivered. */
export function arrivals(events: AcceptedEvent[]): fc.Arbitrary<AcceptedEvent[][]> {
  return fc
    .record({
      order: fc.shuffledSubarray(events, { minLength: events.length }),
      isInOrder: fc.boolean(),
      again: fc.subarray(events, { maxLength: Math.min(5, events.length) }),
      cuts: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 40 }),
    })
    .map(({ order, isInOrder, again, cuts }) => {
      const sorted = order.toSorted((a, b) => a.occurred_at - b.occurred_at)
      const all = [...(isInOrder ? sorted : order), ...again]
      const batches: AcceptedEvent[][] = []
      for (let from = 0, i = 0; from < all.length; i++) {
        const size = cuts[i % cuts.length] as number
        batches.push(all.slice(from, from + size))
        from += size
      }
      return batches
    })
}
