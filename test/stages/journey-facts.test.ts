/** Facts of the journey fold in full: transitions, stays, cycles, effects, timers and ids. */

import { describe, expect, test } from 'vitest'
import { uuidOf } from '../../pipeline/base/hash.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { checkFold, columnsOf, foldTable, microsOf } from '../support/histories/journey-history.ts'

/** Returns a journey `j` with these states, starting in `a`. */
function machine(states: { [state: string]: object }, more: object = {}): { journeys: Journey[] } {
  return { journeys: [{ id: 'j', version: 1, initial: 'a', states, ...more } as Journey] }
}

const END = { type: 'final' }
const HOUR = 3_600_000_000

describe('transitions and stays', () => {
  const fold = () =>
    foldTable(
      `
    at     user_id  event
    10:00  u1       Go
    10:10  u1       Back
    12:30  u1       Back
    12:31  u1       Off
  `,
      {
        ...machine(
          {
            a: { on: { Go: 'b' }, after: { '1h': 'c' } },
            b: { on: { Back: 'a' } },
            c: { on: { Back: 'b' } },
          },
          { on: { Off: 'a' } },
        ),
        watermark: '13:31',
      },
    )

  test('have a number, cause, states, dwell in milliseconds and the number of the visit', () => {
    const { transitions } = fold()
    const names = 'seq cause from_state to_state event_id event_name dwell_ms visit'
    expect(columnsOf(transitions, names)).toEqual([
      '1 start - a e1 Go - 1',
      '2 event a b e1 Go 0 1',
      '3 event b a e2 Back 600000 2',
      '4 timeout a c - - 3600000 1',
      '5 event c b e3 Back 4800000 2',
      '6 event b a e4 Off 60000 3',
      '7 timeout a c - - 3600000 2',
    ])
    expect(transitions.map((row) => row['occurred_at'])).toEqual(
      ['10:00', '10:00', '10:10', '11:10', '12:30', '12:31', '13:31'].map(microsOf),
    )
  })

  test('each stay ends with the transition that leaves it', () => {
    const { transitions, states } = fold()
    const hour = (row: object, name: string) => {
      const at = (row as { [column: string]: number | null })[name]
      return at === null ? '-' : String(((at as number) - microsOf('10:00')) / 60_000_000)
    }
    expect(
      states.map((row) => {
        return [row['state'], row['visit'], hour(row, 'entered_at'), hour(row, 'exited_at')].join(
          ' ',
        )
      }),
    ).toEqual([
      'a 1 0 0',
      'b 1 0 10',
      'a 2 10 70',
      'c 1 70 150',
      'b 2 150 151',
      'a 3 151 211',
      'c 2 211 -',
    ])
    expect(states.map((row) => row['exited_by'])).toEqual([
      ...transitions.slice(1).map((row) => row['transition_id']),
      null,
    ])
  })
})

test('an instance is named by its profile, key and start event, and has its own counters', () => {
  const { transitions } = foldTable(
    `
    at     user_id  event  props
    10:00  u/1      Go     {"k":"x/y"}
    10:01  u/1      Go     {"k":"z"}
    10:02  u/1      Go     {"k":"x/y"}
    10:03  u/1      Go     {"k":"z"}
  `,
    machine({ a: { on: { Go: 'b' } }, b: { on: { Go: 'a' } } }, { key: { property: 'k' } }),
  )
  expect(columnsOf(transitions, 'instance_id seq to_state visit')).toEqual([
    'user_id:u%2F1/x%2Fy/e1 1 a 1',
    'user_id:u%2F1/x%2Fy/e1 2 b 1',
    'user_id:u%2F1/z/e2 1 a 1',
    'user_id:u%2F1/z/e2 2 b 1',
    'user_id:u%2F1/x%2Fy/e1 3 a 2',
    'user_id:u%2F1/z/e2 3 a 2',
  ])
})

test('a restarted instance is a new one and counts from zero', () => {
  const { transitions, rejections } = foldTable(
    `
    at     user_id  event
    10:00  u1       Ping
    10:01  u1       Ping
    10:02  u1       Go
    10:03  u1       Ping
    10:04  u1       Go
    10:05  u1       Ping
    10:06  u1       Go
  `,
    machine(
      { a: { on: { Go: { target: 'b', guard: { count: 'Ping', gte: 2 } } } }, b: END },
      { restart: true, startOn: ['Ping'] },
    ),
  )
  expect(columnsOf(transitions, 'instance_id cause to_state visit')).toEqual([
    'user_id:u1/e1 start a 1',
    'user_id:u1/e1 event b 1',
    'user_id:u1/e4 start a 1',
    'user_id:u1/e4 event b 1',
  ])
  expect(columnsOf(rejections, 'event_id instance_id state reason')).toEqual([
    'e2 user_id:u1/e1 a not_accepted',
    'e5 user_id:u1/e4 a guard_failed',
    'e6 user_id:u1/e4 a not_accepted',
  ])
})

describe('cycles', () => {
  const states = {
    a: { on: { B: 'b' } },
    b: { on: { C: 'c', A: 'a' } },
    c: { on: { D: 'd', B: 'b', A: 'a' } },
    d: { on: { C: 'c', A: 'a', D: 'd' } },
  }
  test('close at the state that is entered again and leave the path', () => {
    const { cycles } = foldTable(
      `
    at     user_id  event
    10:00  u1       B
    10:01  u1       C
    10:02  u1       D
    10:04  u1       C
    10:07  u1       B
    10:10  u1       C
    10:20  u1       D
    10:25  u1       D
    11:00  u1       A
    11:01  u1       B
    11:03  u1       A
  `,
      machine(states),
    )

    expect(columnsOf(cycles, 'cycle_no anchor path length duration_ms')).toEqual([
      '1 c c > d > c 2 180000',
      '2 b b > c > b 2 420000',
      '3 d d > d 1 300000',
      '4 a a > b > c > d > a 4 3600000',
      '5 a a > b > a 2 180000',
    ])
  })
})

describe('effects', () => {
  const effects = [
    { type: 'mail', within: '1h' },
    { type: 'text', to: 'phone' },
  ]

  test('an entered state has its effects in order, with cause and content in the key', () => {
    const folded = foldTable(
      `
      at     user_id  event
      10:00  u1       Go
      10:30  u1       Go
    `,
      {
        ...machine({
          a: { on: { Go: 'b' } },
          b: { on: { Go: 'a' }, after: { '10m': 'c' }, effects },
          c: { ...END, effects: [{ type: 'late' }] },
        }),
        watermark: '11:00',
      },
    )
    const keys = [
      'j/1//main/event/0/e1/{"type":"mail","within":"1h"}',
      'j/1//main/event/1/e1/{"type":"text","to":"phone"}',
      `j/1//main/timeout/0/${microsOf('10:10')}@e1/{"type":"late"}`,
    ]
    expect(columnsOf(folded.effects, 'id')).toEqual(keys.map(uuidOf))
    expect(columnsOf(folded.effects, 'type profileId instanceId withinUs occurredAt')).toEqual([
      `mail user_id:u1 user_id:u1/e1 ${HOUR} ${microsOf('10:00')}`,
      `text user_id:u1 user_id:u1/e1 - ${microsOf('10:00')}`,
      `late user_id:u1 user_id:u1/e1 - ${microsOf('10:10')}`,
    ])
    const ids = folded.transitions.map((row) => row['transition_id'])
    expect(folded.effects.map(({ transition }) => ids.indexOf(transition))).toEqual([1, 1, 2])
  })

  test('the initial state has its effects when an instance starts', () => {
    const folded = foldTable('at     user_id  event\n10:00  u1       Look', {
      ...machine({ a: { on: { Go: 'b' }, effects }, b: END }, { startOn: ['Look'] }),
    })
    expect(columnsOf(folded.effects, 'type occurredAt')).toEqual([
      `mail ${microsOf('10:00')}`,
      `text ${microsOf('10:00')}`,
    ])
  })
})

describe('timers', () => {
  const after = { '1h': { target: 'b', guard: { count: 'Ping', gte: 1 } }, '2h': 'c' }
  const waiting = machine({ a: { on: { Go: 'b' }, after }, b: END, c: { on: { Go: 'a' } } })
  const started = machine(waiting.journeys[0]?.states as object as { [state: string]: object }, {
    startOn: ['Look'],
  })
  const timersAt = (watermark: string, table = 'at     user_id  event\n10:00  u1       Look') =>
    foldTable(table, { ...started, watermark }).timers

  test('the next timeout of a stay is due, also after one whose guard failed', () => {
    expect(timersAt('10:59:59')).toEqual([['user_id:u1', microsOf('11:00'), -Infinity]])
    expect(timersAt('11:00')).toEqual([['user_id:u1', microsOf('12:00'), microsOf('11:00')]])
    expect(timersAt('12:00')).toEqual([['user_id:u1', Infinity, microsOf('12:00')]])
  })

  test('the earliest of several instances is due, and the latest decided counts', () => {
    const table = `
      at     user_id  event  props
      10:00  u1       Look   {"k":1}
      10:20  u1       Look   {"k":2}
      10:10  u1       Look   {"k":3}
    `
    const keyed = { ...started.journeys[0], key: { property: 'k' } } as Journey
    const timers = (watermark: string) => foldTable(table, { journeys: [keyed], watermark }).timers
    expect(timers('10:30')).toEqual([['user_id:u1', microsOf('11:00'), -Infinity]])
    expect(timers('11:00')).toEqual([['user_id:u1', microsOf('11:10'), microsOf('11:00')]])
    expect(timers('11:30')).toEqual([['user_id:u1', microsOf('12:00'), microsOf('11:20')]])
  })

  test('a timeout that moves the instance goes before an event at its instant', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Look       -
      10:00  u2       Look       -
      11:59  u1       Go         b
      12:00  u2       Go         a
      then user_id:u1 j b
      then user_id:u2 j a
    `,
      started,
    ))

  test('two tracks that are due at once fire in their order', () => {
    const track = { initial: 'a', states: { a: { after: { '1h': 'b' } }, b: END } }
    const { transitions } = foldTable('at     user_id  event\n10:00  u1       Look', {
      journeys: [
        {
          id: 'j',
          version: 1,
          type: 'parallel',
          startOn: ['Look'],
          states: {
            late: { ...track, states: { a: { after: { '2h': 'b' } }, b: END } },
            one: track,
            two: track,
          },
        } as Journey,
      ],
      watermark: '13:00',
    })
    expect(columnsOf(transitions, 'seq track cause to_state')).toEqual([
      '1 late start a',
      '2 one start a',
      '3 two start a',
      '4 one timeout b',
      '5 two timeout b',
      '6 late timeout b',
    ])
  })
})

describe('guards of a timeout and of an event', () => {
  test('field compares name and source, which a timeout does not have', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Look       -
      10:01  u1       Go         b
      10:02  u1       Off        !guard_failed
      then user_id:u1 j b
    `,
      {
        ...machine(
          {
            a: {
              on: {
                Go: { target: 'b', guard: { field: 'source', eq: 'web' } },
              },
            },
            b: {
              on: { Off: { target: 'a', guard: { field: 'name', eq: 'Go' } } },
              after: {
                '1h': { target: 'a', guard: { field: 'source', exists: true } },
                '2h': { target: 'a', guard: { property: 'n', exists: true } },
              },
            },
          },
          { startOn: ['Look'] },
        ),
        watermark: '13:00',
      },
    ))

  test('a timeout may require that the event has no property', () =>
    checkFold(
      `
      at     user_id  event  props    ->  j
      10:00  u1       Look   {"n":1}      -
      then user_id:u1 j b
    `,
      {
        ...machine(
          {
            a: { after: { '1h': { target: 'b', guard: { property: 'n', exists: false } } } },
            b: END,
          },
          { startOn: ['Look'] },
        ),
        watermark: '11:00',
      },
    ))

  test('visits counts the entries before the event', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Look       -
      10:01  u1       Again      a
      10:02  u1       Go         !guard_failed
      10:03  u1       Again      a
      10:04  u1       Go         b
    `,
      machine(
        { a: { on: { Again: 'a', Go: { target: 'b', guard: { visits: 'a', gte: 3 } } } }, b: END },
        { startOn: ['Look'] },
      ),
    ))

  test('in a parallel journey, visits of a state never entered are zero', () =>
    checkFold(
      `
      at     user_id  event  ->  j
      10:00  u1       Go         left.b
      10:01  u1       Turn       right.d
      10:02  u1       Go         left.a
    `,
      {
        journeys: [
          {
            id: 'j',
            version: 1,
            type: 'parallel',
            states: {
              left: {
                initial: 'a',
                states: {
                  a: { on: { Go: { target: 'b', guard: { visits: 'right.d', lt: 1 } } } },
                  b: { on: { Go: { target: 'a', guard: { visits: 'right.d', gte: 1 } } } },
                },
              },
              right: { initial: 'c', states: { c: { on: { Turn: 'd' } }, d: END } },
            },
          } as Journey,
        ],
      },
    ))
})
