/** Journeys, rule by rule: what moves an instance, what is rejected, what is ignored. */

import { describe, test } from 'vitest'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { checkFold } from '../support/histories/journey-history.ts'

/** Returns a journey `j` with these states, starting in `a`. */
function machine(states: { [state: string]: object }, more: object = {}): { journeys: Journey[] } {
  return { journeys: [{ id: 'j', version: 1, initial: 'a', states, ...more } as Journey] }
}

const END = { type: 'final' }

describe('events', () => {
  test('an event moves an instance, is ignored, is rejected, or is unknown', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Other      -
      10:01  u1       Go         b
      10:02  u1       Quiet      -
      10:03  u1       Go         !not_accepted
      10:04  u1       Back       a
    `,
      machine({ a: { on: { Go: 'b' } }, b: { on: { Back: 'a' }, ignore: ['Quiet'] } }),
    ))

  test('a start event that no track takes is not rejected, and only start events start', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Go         -
      10:01  u1       Look       -
      10:02  u1       Look       !not_accepted
      10:03  u1       Go         b
      then user_id:u1 j b
    `,
      machine({ a: { on: { Go: 'b' } }, b: END }, { startOn: ['Look'] }),
    ))

  test('the first candidate whose guard holds is taken; if none holds, a guard has failed', () =>
    checkFold(
      `
      at     user_id  event  props      ->  j
      10:00  u1       Go     {"n":1}        -
      10:01  u1       Go     {"n":5}        b
      10:02  u2       Go     {"n":50}       c
      10:03  u3       Go     {"n":"50"}     -
    `,
      machine({
        a: {
          on: {
            Go: [
              { target: 'c', guard: { property: 'n', gte: 10 } },
              { target: 'b', guard: { property: 'n', gt: 1, lt: 10 } },
            ],
          },
        },
        b: END,
        c: END,
      }),
    ))

  test('a state that names the event decides alone, candidates before ignore', () =>
    checkFold(
      `
      at     user_id  event  props     ->  j
      10:00  u1       In     -             b
      10:01  u1       Out    -             !guard_failed
      10:02  u1       Hush   -             -
      10:03  u1       Soft   -             -
      10:04  u1       Out    {"x":1}       c
    `,
      machine(
        {
          a: { on: { In: 'b' } },
          b: {
            on: {
              Out: { target: 'c', guard: { property: 'x', exists: true } },
              Soft: { target: 'c', guard: { property: 'x', exists: true } },
            },
            ignore: ['Soft'],
          },
          c: END,
        },
        { on: { Out: 'c' }, ignore: ['Hush'] },
      ),
    ))

  test('a finished instance takes no event, and restarts only if restart is set', () => {
    const states = { a: { on: { Go: 'b' } }, b: END }
    const table = (again: string) => `
      at     user_id  event  ->  j
      10:00  u1       Go         b
      10:01  u1       Go         ${again}
    `
    checkFold(table('-'), machine(states))
    checkFold(table('b'), machine(states, { restart: true }))
  })

  test('a self-transition leaves and enters the state and restarts its timeouts', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Go         a
      10:40  u1       Go         a
      11:30  u1       Go         a
      then user_id:u1 j late
    `,
      {
        ...machine({
          a: { on: { Go: 'a', Out: 'late' }, after: { '1h': 'late' } },
          late: { on: { Go: 'a' } },
        }),
        watermark: '12:30',
      },
    ))

  test('each key has its own instance, numbers are text, and an event without the key is unused', () =>
    checkFold(
      `
      at     user_id  event  props          ->  j
      10:00  u1       Go     {"k":25}           b
      10:01  u1       Go     {"k":"25"}         !not_accepted
      10:02  u1       Go     {"k":true}         b
      10:03  u1       Go     -                  -
      10:04  u1       Go     {"k":null}         -
      10:05  u1       Go     {"k":[1]}          -
    `,
      machine({ a: { on: { Go: 'b' } }, b: { on: { No: 'a' } } }, { key: { property: 'k' } }),
    ))

  test('a profile may have more keys than are compared one by one', () => {
    const keys = Array.from({ length: 20 }, (_, i) => i)
    const line = (at: number, event: string, k: number, state: string) =>
      `${at}:00  u1  ${event}  {"k":${k}}  ${state}`
    const lines = [
      'at  user_id  event  props  ->  j',
      ...keys.map((k) => line(10 + k, 'Go', k, 'b')),
      ...keys.toReversed().map((k, i) => line(30 + i, 'No', k, 'a')),
      ...keys.map((k) => line(50 + k, 'No', k, '!not_accepted')),
    ]
    checkFold(
      lines.join('\n'),
      machine({ a: { on: { Go: 'b' } }, b: { on: { No: 'a' } } }, { key: { property: 'k' } }),
    )
  })
})

describe('guards', () => {
  test.each<[guard: object, props: string, holds: boolean]>([
    [{ eq: 1 }, '{"v":1}', true],
    [{ eq: '1' }, '{"v":1}', false],
    [{ eq: null }, '{}', false],
    [{ ne: 1 }, '{"v":2}', true],
    [{ ne: 1 }, '{"v":"2"}', false],
    [{ ne: 1 }, '{}', false],
    [{ gt: 'a' }, '{"v":"b"}', true],
    [{ gt: '\uffee' }, '{"v":"\u{1f600}"}', true],
    [{ lt: 5 }, '{"v":null}', false],
    [{ in: [1, { a: [2] }] }, '{"v":{"a":[2]}}', true],
    [{ exists: false }, '{"v":null}', true],
    [{ exists: true }, '{"v":false}', true],
    [{ startsWith: 'ab' }, '{"v":"abc"}', true],
    [{ startsWith: 'ab' }, '{"v":["ab"]}', false],
    [{ contains: 'b' }, '{"v":"abc"}', true],
    [{ contains: { x: 1 } }, '{"v":[{"x":1}]}', true],
    [{ gte: 1, lt: 3 }, '{"v":3}', false],
  ])('guard %j on %s is %j', (operators, props, holds) =>
    checkFold(
      `
      at     user_id  event  props     ->  j
      10:00  u1       Look   -             -
      10:01  u1       Go     ${props}      ${holds ? 'b' : '!guard_failed'}
    `,
      machine(
        { a: { on: { Go: { target: 'b', guard: { property: 'v', ...operators } } } }, b: END },
        { startOn: ['Look'] },
      ),
    ),
  )

  test('count counts in the instance, including the start event and the current one', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Ping       -
      10:01  u1       Look       -
      10:02  u1       Ping       -
      10:03  u1       Go         !guard_failed
      10:04  u1       Ping       -
      10:05  u1       Go         b
    `,
      machine(
        { a: { on: { Go: { target: 'b', guard: { count: 'Ping', gte: 2 } } } }, b: END },
        { startOn: ['Look'] },
      ),
    ))

  test('dwell is the time in the state, to the microsecond', () =>
    checkFold(
      `
      at        user_id  event  ->  j
      10:00     u1       Look       -
      10:09:59  u1       Go         !guard_failed
      10:10     u1       Go         b
    `,
      machine(
        { a: { on: { Go: { target: 'b', guard: { dwell: { gte: '10m' } } } } }, b: END },
        { startOn: ['Look'] },
      ),
    ))

  test('tracks evaluate guards on the states before the event', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Go         left.b
      10:01  u1       Go         right.d
      then user_id:u1 j left.b+right.d
    `,
      {
        journeys: [
          {
            id: 'j',
            version: 1,
            type: 'parallel',
            states: {
              left: { initial: 'a', states: { a: { on: { Go: 'b' } }, b: { type: 'final' } } },
              right: {
                initial: 'c',
                states: {
                  c: { on: { Go: { target: 'd', guard: { in: 'left.b' } } } },
                  d: { type: 'final' },
                },
              },
            },
          },
        ],
      },
    ))
})

describe('timeouts', () => {
  const waiting = machine(
    {
      a: { on: { Go: 'b' }, after: { '1h': 'late' } },
      late: { on: { Go: 'c' } },
      c: { on: { Off: 'a' } },
      b: { on: { Off: 'a' } },
    },
    { startOn: ['Look'] },
  )

  test('a timeout fires before an event at its instant, and not earlier', () =>
    checkFold(
      `
      at        user_id  event  ->  j
      10:00     u1       Look       -
      10:00     u2       Look       -
      10:59:59  u1       Off        !not_accepted
      11:00     u2       Off        !not_accepted
      then user_id:u1 j late
      then user_id:u2 j late
    `,
      waiting,
    ))

  test('a timeout beyond the watermark does not fire', () =>
    checkFold(
      `
      at        user_id  event  ->  j
      10:00     u1       Look       -
      10:59:59  u2       Look       -
      then user_id:u1 j a
      then user_id:u2 j a
    `,
      waiting,
    ))

  test('a timeout whose guard fails does not fire until the state is entered again', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Look       -
      11:30  u1       Ping       -
      12:30  u1       Again      a
      13:00  u1       Ping       -
      then user_id:u1 j late
    `,
      {
        ...machine(
          {
            a: {
              on: { Again: 'a', Out: 'late' },
              after: { '1h': { target: 'late', guard: { count: 'Ping', gte: 1 } } },
            },
            late: END,
          },
          { startOn: ['Look'] },
        ),
        watermark: '14:00',
      },
    ))
})
