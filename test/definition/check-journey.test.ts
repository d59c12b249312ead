/** Static checks of journeys. Each error names the file, the place and the fix. */

import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import checkout from '../../definitions/journeys/checkout.ts'
import { checkJourney } from '../../pipeline/definition/check/check-journey.ts'
import { checkIdentity, checkSessions } from '../../pipeline/definition/check/check-settings.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { checkEvents } from '../../pipeline/definition/events.ts'
import { IDENTITY_DEFAULT, SESSIONS_DEFAULT } from '../../pipeline/definition/settings.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'

/** Returns a valid journey with some members replaced. */
function journey(changes: object): object {
  const states = { a: { on: { Go: 'b' } }, b: { type: 'final' } }
  return { id: 'j', version: 1, initial: 'a', states, ...changes }
}

/** Returns a valid journey whose first state is `a`. */
function withState(a: object, more: object = {}): object {
  return journey({ states: { a, b: { type: 'final' }, ...more } })
}

const leaving = { Go: 'b' }
function endless(): object {
  const guard: { not?: object } = {}
  guard.not = guard
  return guard
}

const guarded = (guard: unknown) => withState({ on: { Go: { target: 'b', guard } } })

describe('rejects a journey with a message', () => {
  test.each<[what: string, journey: unknown, message: string]>([
    ['no object', null, 'j.ts: the default export is not a journey; export default defineJourney'],
    ['bad id', journey({ id: '1j' }), 'j.ts: id "1j" is not a valid name; write letters, digits'],
    [
      'bad version',
      journey({ version: 0 }),
      'j.ts: version 0 is not a version number; write 1, 2, 3',
    ],
    ['unknown member', journey({ inital: 'a' }), 'j.ts: inital is unknown; write one of id,'],
    ['bad key', journey({ key: 'x' }), 'j.ts: key "x" is not a key; write { property:'],
    [
      'a key outside the properties',
      journey({ key: { context: 'page' } }),
      'j.ts: key {"context":"page"} is not a key; write { property:',
    ],
    [
      'a key with the prefix of a path',
      journey({ key: { property: 'properties.order_id' } }),
      `key property "properties.order_id": the path begins inside properties; write 'order_id'`,
    ],
    [
      'a guard with the prefix of a path',
      guarded({ context: 'context.page.url', exists: true }),
      `guard on context "context.page.url": the path begins inside context; write 'page.url'`,
    ],
    [
      'a guard with an empty member in its path',
      guarded({ property: 'cart..value', exists: true }),
      'guard on property "cart..value": it is not a path;',
    ],
    [
      'no such initial',
      journey({ initial: 'z' }),
      'j.ts: initial: initial "z" is not a state; write one',
    ],
    [
      'unknown target',
      withState({ on: { Go: 'z' } }),
      'j.ts: state a: on \'Go\' targets "z", which is not a state; write one of a, b',
    ],
    [
      'unreachable state',
      withState({ on: leaving }, { c: { on: leaving } }),
      'j.ts: state c: no transition leads to it',
    ],
    [
      'no way out',
      withState({ on: { Go: 'b', Stay: 'c' } }, { c: { on: { Go: 'c' } } }),
      'j.ts: state c: no transition leads to another state',
    ],
    [
      'masked root',
      journey({ on: { Out: 'b' }, states: { a: { ignore: ['Out'] }, b: { type: 'final' } } }),
      'j.ts: state a: no transition leads to another state',
    ],
    [
      'circle of timeouts',
      withState({ on: leaving, after: { '1h': 'c' } }, { c: { after: { '1h': 'a' } } }),
      'j.ts: state a: timeouts alone lead back to it',
    ],
    [
      'self timeout',
      withState({ on: leaving, after: { '1h': 'a' } }),
      'j.ts: state a: timeouts alone',
    ],
    [
      'an unreachable candidate',
      withState({ on: { Go: ['b', { target: 'a', guard: { in: 'a' } }] } }),
      "j.ts: state a: on 'Go': a candidate after an unguarded one is never used",
    ],
    [
      'bad duration',
      withState({ on: leaving, after: { '1 hour': 'b' } }),
      "j.ts: state a: after '1 hour' is not a duration; write a number above 0",
    ],
    [
      'zero duration',
      withState({ on: leaving, after: { '0s': 'b' } }),
      "j.ts: state a: after '0s' is not a duration",
    ],
    [
      'guard without an operator',
      guarded({ property: 'x' }),
      'guard on property "x" has no operator; write one of eq',
    ],
    ['dwell without an operator', guarded({ dwell: {} }), 'guard: dwell has no operator'],
    ['empty all', guarded({ all: [] }), 'guard: all is empty'],
    ['nested guard', guarded({ not: { count: 'Go' } }), 'guard on count "Go" has no operator'],
    ['unknown op', guarded({ property: 'x', equals: 1 }), 'guard: equals is unknown here'],
    [
      'no such field',
      guarded({ field: 'id', eq: 'x' }),
      'the field does not exist; write source or name',
    ],
    [
      'no such place',
      guarded({ in: 'main.z' }),
      'guard: in "main.z" is not a state; did you mean \'main.a\'? write one of main.a, main.b',
    ],
    ['a place too long', guarded({ in: 'main.b.x' }), 'guard: in "main.b.x" is not a state'],
    ['no such visit', guarded({ visits: 'z', gte: 1 }), 'guard: visits "z" is not a state'],
    ['no guard', guarded(7), 'guard 7 is not a guard'],
    ['guard of nothing', guarded({}), 'guard {} has no subject'],
    [
      'leaving a final state',
      journey({ states: { a: { on: leaving }, b: { type: 'final', on: { Go: 'a' } } } }),
      'j.ts: state b: on has no effect in a final state',
    ],
    [
      'waiting in a final state',
      journey({ states: { a: { on: leaving }, b: { type: 'final', after: { '1h': 'a' } } } }),
      'j.ts: state b: after has no effect in a final state',
    ],
    ['final initial', journey({ initial: 'b' }), 'j.ts: state b: the initial state is final'],
    [
      'bad state name',
      withState({ on: { Go: 'b', X: 'c d' } }, { 'c d': { on: leaving } }),
      'j.ts: state c d: the name is not allowed',
    ],
    [
      'bad track name',
      { id: 'j', version: 1, type: 'parallel', states: { 'a.b': journey({}) } },
      'j.ts: track a.b: the name is not allowed',
    ],
    [
      'initial beside tracks',
      { id: 'j', version: 1, type: 'parallel', initial: 'a', states: {} },
      "j.ts: initial cannot be used with type 'parallel'; move it into a track",
    ],
    ['empty list', withState({ on: { Go: [] } }), "j.ts: state a: on 'Go' is an empty list"],
    [
      'effect without type',
      withState({ on: leaving, effects: [{}] }),
      'j.ts: state a: effect {} has no type',
    ],
    [
      'effect within nothing',
      withState({ on: leaving, effects: [{ type: 'x', within: 'soon' }] }),
      'effect within "soon" is not a duration',
    ],
    [
      'funnel through nowhere',
      journey({ funnels: { f: { steps: ['a', 'z'] } } }),
      'j.ts: funnel f: step "z" is not a state',
    ],
    [
      'funnel in no time',
      journey({ funnels: { f: { steps: ['a'], within: '0s' } } }),
      'j.ts: funnel f: within "0s" is not a duration',
    ],
    [
      'a step that only reads like a state',
      journey({ funnels: { f: { steps: [['a']] } } }),
      'j.ts: funnel f: step ["a"] is not a state',
    ],
    [
      'root on beside tracks',
      { id: 'j', version: 1, type: 'parallel', on: {}, states: { left: {} } },
      "j.ts: on cannot be used with type 'parallel'; move it into a track",
    ],
    [
      'unknown member of a track',
      { id: 'j', version: 1, type: 'parallel', states: { left: { startOn: [] } } },
      'j.ts: track left: startOn is unknown; write one of initial,',
    ],
    [
      'unknown member of a state',
      withState({ on: leaving, afer: {} }),
      'j.ts: state a: afer is unknown; write one of type,',
    ],
    [
      'unknown member of a candidate',
      withState({ on: { Go: { target: 'b', gaurd: {} } } }),
      "j.ts: state a, on 'Go': gaurd is unknown; write one of target,",
    ],
    ['unknown track', guarded({ in: 'left.a' }), 'guard: in "left.a" is not a state'],
    [
      'dwell for no duration',
      guarded({ dwell: { lt: 'soon' } }),
      'dwell lt "soon" is not a duration',
    ],
    ['missing states', journey({ states: undefined }), 'j.ts: states: it has no states'],
    ['startOn is not a list', journey({ startOn: 'Go' }), 'j.ts: startOn "Go" is not a list'],
    ['bad restart', journey({ restart: 'yes' }), 'j.ts: restart "yes" is not true or false'],
    [
      'effects are not a list',
      withState({ on: leaving, effects: {} }),
      'j.ts: state a: effects {} is not a list',
    ],
    ['a bigint', journey({ version: 1n }), 'j.ts: it contains a bigint or a circular reference'],
    [
      'a guard that contains itself',
      guarded(endless()),
      'j.ts: it contains a bigint or a circular reference',
    ],
    [
      'ignore is not a list',
      withState({ on: leaving, ignore: 'Go' }),
      'j.ts: state a: ignore "Go" is not a list',
    ],
  ])('%s', (_what, definition, message) => {
    expect(checkJourney('j.ts', definition).join('\n')).toContain(message)
  })
})

test('reports a root whose ignore is not a list only once', () => {
  expect(checkJourney('j.ts', journey({ ignore: 'Go' }))).toEqual([
    'j.ts: root: ignore "Go" is not a list of event names',
  ])
})

describe('accepts a valid journey', () => {
  test.each<[what: string, journey: object]>([
    ['the smallest', journey({})],
    [
      'a root that leads out',
      journey({ on: { Out: 'b' }, states: { a: {}, b: { type: 'final' } } }),
    ],
    ['the checkout of the examples', checkout],
    ['null as an operand', guarded({ property: 'x', eq: null })],
    [
      'mixed candidates',
      withState({ on: { Go: [{ target: 'a', guard: { in: 'main.a' } }, 'b'] } }),
    ],
    [
      'tracks',
      {
        id: 'j',
        version: 2,
        type: 'parallel',
        ignore: ['X'],
        restart: true,
        states: {
          left: {
            initial: 'a',
            states: {
              a: { on: { Go: { target: 'b', guard: { in: 'right.c' } } } },
              b: { type: 'final' },
            },
          },
          right: { initial: 'c', states: { c: { on: { Go: 'd' } }, d: { type: 'final' } } },
        },
      },
    ],
  ])('%s', (_what, definition) => {
    expect(checkJourney('j.ts', definition)).toEqual([])
  })

  test('fills in the defaults of empty identity and session definitions', () => {
    expect(checkIdentity('identity.ts', {})).toEqual([])
    expect(checkSessions('sessions.ts', {})).toEqual([])
  })
})

test.each<[identity: object, message: string]>([
  [{ person: [], device: [], exclusive: [] }, 'no namespace is declared'],
  [{ person: ['a:b'], exclusive: [] }, 'namespace "a:b" is not allowed'],
  [{ person: ['x'], device: ['x'], exclusive: [] }, 'namespace x is declared twice'],
  [
    { exclusive: ['anonymous_id'] },
    'exclusive names anonymous_id, which is not a person namespace',
  ],
  [{ hashed: ['phone'] }, 'hashed names phone, which is not declared'],
  [{ contested: 'last' }, 'contested "last" is unknown'],
  [{ contested: ['first'] }, 'contested ["first"] is unknown'],
  [{ maxPersonsPerDevice: 0 }, 'maxPersonsPerDevice 0 is not a count'],
  [{ persons: [] }, 'persons is unknown; write one of person'],
])('rejects identity %j', (identity, message) => {
  expect(checkIdentity('identity.ts', identity).join('\n')).toContain(message)
})

test.each<[sessions: object, message: string]>([
  [{ gap: '30' }, 'gap "30" is not a duration'],
  [{ gapp: '30m' }, 'gapp is unknown; write one of gap'],
  [{ splitOn: 'x' }, 'splitOn "x" is not a list'],
  [
    { splitOn: ['plan'] },
    `splitOn: "plan" is not a path into an event; write 'properties.plan' or 'context.plan'`,
  ],
  [
    { splitOn: ['context.'] },
    'splitOn: "context." is not a path into an event; write source, name',
  ],
  [{ splitOn: ['properties'] }, 'splitOn: "properties" is not a path into an event; write source'],
  [{ splitOn: [7] }, 'splitOn: 7 is not a path into an event; write source, name'],
  [{ maxDuration: '0h' }, 'maxDuration "0h" is not a duration'],
])('rejects sessions %j', (sessions, message) => {
  expect(checkSessions('sessions.ts', sessions).join('\n')).toContain(message)
})

test('treats an undefined member as left out, and drops undeclared exclusive namespaces', () => {
  const { identity, sessions } = makeDefinitions({
    identity: { person: ['customer'], contested: undefined as never },
    sessions: { gap: undefined as never, splitOn: undefined as never },
  })
  expect(identity).toEqual({ ...IDENTITY_DEFAULT, person: ['customer'], exclusive: [] })
  expect(sessions).toEqual(SESSIONS_DEFAULT)
})

test('reports an empty default export beside others', () => {
  const journeys = [null, undefined] as unknown as Journey[]
  expect(() => makeDefinitions({ journeys })).toThrow('the default export is not a journey')
})

test.each<[events: unknown, message: string]>([
  [null, 'x.ts: the default export is not an object; export default defineEvents'],
  [{ event: {} }, 'x.ts: event is unknown; write one of events, unknown'],
  [{ events: [] }, 'x.ts: events is not a map'],
  [{ events: { Go: 5 } }, "x.ts: event 'Go': its schema is not a zod schema; write z.object"],
  [{ unknown: 'drop' }, "x.ts: unknown \"drop\" is not a rule; write 'accept' or 'refuse'"],
])('rejects events %j', (events, message) => {
  expect(checkEvents('x.ts', events).join('\n')).toContain(message)
  expect(checkEvents('x.ts', { events: { Go: null, Stop: z.object({}) } })).toEqual([])
})

test.each<[what: string, operand: unknown]>([
  ['a function', () => 1],
  ['a symbol', Symbol('x')],
  ['NaN', Number.NaN],
  ['a Map', new Map()],
  ['a RegExp', /x/],
])('rejects %s as not plain data', (what, eq) => {
  expect(checkJourney('j.ts', guarded({ property: 'x', eq }))).toEqual([
    `j.ts: it contains ${what}, which is not plain data; write JSON values`,
  ])
})

test('rejects identity and sessions that are not plain data', () => {
  const message = [
    'x.ts: it contains a bigint or a circular reference, which is not plain data; write JSON values',
  ]
  expect(checkIdentity('x.ts', { maxPersonsPerDevice: 1n })).toEqual(message)
  expect(checkSessions('x.ts', { gap: 1n })).toEqual(message)
})
