/** Event funnels, option by option. */

import { describe, expect, test } from 'vitest'
import { attemptsOf, FunnelBench, type GivenEvent } from '../support/histories/funnel-history.ts'

const ABC = { steps: ['A', 'B', 'C'], within: '1h' }
const AB = { steps: ['A', 'B'], within: '1h' }

describe('in sequence', () => {
  test('accepts other events between the steps', () => {
    const history = `
      10:00 A
      10:05 X
      10:10 B
      10:15 A
      10:20 C`
    expect(attemptsOf(ABC, history)).toEqual(['e1 e3 e5 converted', 'e4 pending'])
  })

  test('does not take a step before its turn', () => {
    const history = `
      10:00 B
      10:05 A
      10:10 C
      10:15 B`
    expect(attemptsOf(ABC, history)).toEqual(['e2 e4 pending'])
  })

  test('takes a different event for a repeated step', () => {
    const history = `
      10:00 A
      10:05 A
      10:10 A`
    const twice = { steps: ['A', 'A'], within: '1h' }
    expect(attemptsOf(twice, history)).toEqual(['e1 e2 converted', 'e2 e3 converted', 'e3 pending'])
  })

  test('converts a funnel of one step at once', () => {
    expect(attemptsOf({ steps: ['A'], within: '1h' }, '10:00 A')).toEqual(['e1 converted'])
  })

  test('checks the condition of a step on its event', () => {
    const steps = ['A', { event: 'B', where: { property: 'value', gte: 10 } }]
    const history = `
      10:00 A
      10:05 B {"value":9}
      10:10 B
      10:15 B {"value":10}`
    expect(attemptsOf({ steps, within: '1h' }, history)).toEqual(['e1 e4 converted'])
  })
})

describe('the window', () => {
  test('the window includes its last instant, counted from the entry', () => {
    const history = `
      10:00 A
      10:59 B
      11:00 C`
    expect(attemptsOf(ABC, history)).toEqual(['e1 e2 e3 converted'])
  })

  test('the window excludes an event one second after its end', () => {
    const history = `
      10:00 A
      10:59 B
      11:00:01 C`
    expect(attemptsOf(ABC, history)).toEqual(['e1 e2 window'])
  })

  test('the window is open while the watermark is at its last instant, and closed after it', () => {
    expect(attemptsOf(AB, '10:00 A', '11:00')).toEqual(['e1 pending'])
    expect(attemptsOf(AB, '10:00 A', '11:00:01')).toEqual(['e1 window'])
  })
})

describe('limits of a step', () => {
  const within = { steps: ['A', { event: 'B', within: '10m' }, 'C'], within: '1h' }
  const minGap = { steps: ['A', { event: 'B', minGap: '10m' }, 'C'], within: '1h' }

  test('within is inclusive and measured from the previous step', () => {
    expect(attemptsOf(within, '10:00 A\n10:10 B\n10:50 C')).toEqual(['e1 e2 e3 converted'])
    expect(attemptsOf(within, '10:00 A\n10:10:01 B\n10:50 C')).toEqual(['e1 window'])
  })

  test('within ends the attempt without another event', () => {
    expect(attemptsOf(within, '10:00 A', '10:10')).toEqual(['e1 pending'])
    expect(attemptsOf(within, '10:00 A', '10:10:01')).toEqual(['e1 window'])
  })

  test('minGap skips events that are too early and takes the next one', () => {
    expect(attemptsOf(minGap, '10:00 A\n10:09 B\n10:10 B\n10:11 C')).toEqual(['e1 e3 e4 converted'])
  })
})

describe('optional steps', () => {
  const steps = ['A', { event: 'B', optional: true }, { event: 'C', within: '20m' }]
  const funnel = { steps, within: '1h' }

  test('an optional step is taken if it occurs and skipped if not', () => {
    expect(attemptsOf(funnel, '10:00 A\n10:05 B\n10:10 C')).toEqual(['e1 e2 e3 converted'])
    expect(attemptsOf(funnel, '10:00 A\n10:10 C')).toEqual(['e1 e2 converted'])
  })

  test('an optional step does not move the start of the next step’s limit', () => {
    expect(attemptsOf(funnel, '10:00 A\n10:15 B\n10:21 C')).toEqual(['e1 e2 window'])
  })

  test('an optional step has its own inclusive limit, which does not end the attempt', () => {
    const soon = { event: 'B', optional: true, within: '5m' }
    const limited = { steps: ['A', soon, 'C'], within: '1h' }
    expect(attemptsOf(limited, '10:00 A\n10:05 B\n10:10 C')).toEqual(['e1 e2 e3 converted'])
    expect(attemptsOf(limited, '10:00 A\n10:05:01 B\n10:10 C')).toEqual(['e1 e3 converted'])
  })

  test('an optional step is not taken after the step that follows it', () => {
    const longer = { steps: [...steps, 'D'], within: '1h' }
    expect(attemptsOf(longer, '10:00 A\n10:05 C\n10:06 B\n10:10 D')).toEqual(['e1 e2 e4 converted'])
  })
})

describe('entries', () => {
  const history = `
    10:00 A
    10:05 A
    10:10 B
    10:20 A
    10:30 B`

  test('entry every: each entry opens an attempt', () => {
    const expected = ['e1 e3 converted', 'e2 e3 converted', 'e4 e5 converted']
    expect(attemptsOf({ ...AB, entry: 'every' }, history)).toEqual(expected)
  })

  test('entry first: only the first entry ever opens an attempt', () => {
    expect(attemptsOf({ ...AB, entry: 'first' }, history)).toEqual(['e1 e3 converted'])
    const late = `
      10:00 A
      12:00 A
      12:05 B`
    expect(attemptsOf({ ...AB, entry: 'first' }, late)).toEqual(['e1 window'])
  })

  test('entry latest: a later entry replaces one that has made no further step', () => {
    const expected = ['e2 e3 converted', 'e4 e5 converted']
    expect(attemptsOf({ ...AB, entry: 'latest' }, history)).toEqual(expected)
  })

  test('entry latest: an entry whose window is closed is not replaced', () => {
    const apart = `
      10:00 A
      11:30 A
      11:40 B`
    expect(attemptsOf({ ...AB, entry: 'latest' }, apart)).toEqual(['e1 window', 'e2 e3 converted'])
  })
})

describe('strict order', () => {
  const strict = { ...ABC, order: 'strict' as const }

  test('strict order converts if nothing occurs between the steps', () => {
    expect(attemptsOf(strict, '10:00 A\n10:05 B\n10:10 C\n10:15 X')).toEqual(['e1 e2 e3 converted'])
  })

  test('strict order ends the attempt on any other event, including a repeated step', () => {
    expect(attemptsOf(strict, '10:00 A\n10:05 X\n10:10 B')).toEqual(['e1 order'])
    expect(attemptsOf(strict, '10:00 A\n10:05 B\n10:06 B\n10:10 C')).toEqual(['e1 e2 order'])
    expect(attemptsOf(strict, '10:00 A\n10:05 A\n10:06 B\n10:10 C')).toEqual([
      'e1 order',
      'e2 e3 e4 converted',
    ])
  })

  test('strict order ignores an event after the window', () => {
    expect(attemptsOf(strict, '10:00 A\n11:30 X')).toEqual(['e1 window'])
  })

  test('strict order ignores an event at the same instant as a step', () => {
    const tied = `
      10:00 A
      10:00 X
      10:05 X
      10:05 B
      10:10 C`
    expect(attemptsOf(strict, tied)).toEqual(['e1 e4 e5 converted'])
  })
})

describe('any order', () => {
  const any = { ...ABC, order: 'any' as const }

  test('any order enters with the first event that matches a step', () => {
    expect(attemptsOf(any, '10:00 C\n10:05 A\n10:10 B')).toEqual(['e1 e2 e3 converted'])
  })

  test('any order opens another attempt with an event that no open attempt needs', () => {
    const history = `
      10:00 B
      10:05 B
      10:10 C
      10:15 A`
    expect(attemptsOf(any, history)).toEqual(['e1 e3 e4 converted', 'e2 e3 e4 converted'])
    const latest = { ...any, entry: 'latest' as const }
    expect(attemptsOf(latest, history)).toEqual(['e2 e3 e4 converted'])
  })

  test('any order finds the best window, wherever it begins', () => {
    const quick = { ...any, within: '10s' }
    const history = `
      10:00:01 A
      10:00:05 B
      10:00:08 A
      10:00:13 C`
    expect(attemptsOf(quick, history)).toEqual(['e1 e2 window', 'e2 e3 e4 converted'])
  })

  test('any order takes nothing along that a conversion or an exclusion came after', () => {
    const after = ['e1 e2 e3 converted', 'e4 pending']
    expect(attemptsOf(any, '10:00 A\n10:01 B\n10:02 C\n10:03 A')).toEqual(after)
    const excluding = { ...any, exclude: [{ event: 'X' }] }
    const excluded = ['e1 e2 excluded', 'e4 e5 pending']
    expect(attemptsOf(excluding, '10:00 A\n10:01 B\n10:02 X\n10:03 A\n10:04 C')).toEqual(excluded)
  })

  test('any order opens another attempt after the window', () => {
    const expected = ['e1 window', 'e2 e3 pending']
    expect(attemptsOf(any, '10:00 C\n11:30 A\n11:40 B')).toEqual(expected)
  })
})

describe('exclusions', () => {
  const between = { ...ABC, exclude: [{ event: 'X', between: [1, 2] as [number, number] }] }

  test('an exclusion ends attempts that are between its steps', () => {
    expect(attemptsOf(between, '10:00 A\n10:05 X\n10:10 B\n10:15 C')).toEqual(['e1 excluded'])
  })

  test('an exclusion does not affect attempts past its steps, or later ones', () => {
    expect(attemptsOf(between, '09:00 X\n10:00 A\n10:10 B\n10:11 X\n10:15 C')).toEqual([
      'e2 e3 e5 converted',
    ])
  })

  test('an exclusion checks its condition', () => {
    const exclude = [{ event: 'X', where: { property: 'k', eq: 1 } }]
    const history = `
      10:00 A
      10:05 X {"k":2}
      10:10 B
      10:15 X {"k":1}
      10:20 C`
    expect(attemptsOf({ ...ABC, exclude }, history)).toEqual(['e1 e3 excluded'])
  })

  test('an exclusion allows another attempt', () => {
    expect(attemptsOf(between, '10:00 A\n10:05 X\n10:10 A\n10:15 B\n10:20 C')).toEqual([
      'e1 excluded',
      'e3 e4 e5 converted',
    ])
  })

  test('remove-profile removes all attempts of the profile, earlier and later', () => {
    const exclude = [{ event: 'X', effect: 'remove-profile' as const }]
    const history = `
      10:00 A
      10:05 B
      10:10 C
      10:20 A
      10:25 X
      10:30 A`
    expect(attemptsOf({ ...ABC, exclude }, history)).toEqual([])
    const apart = `
      10:00 A
      10:05 B
      10:10 C
      10:25 X
      10:30 A`
    expect(attemptsOf({ ...ABC, exclude }, apart)).toEqual(['e1 e2 e3 converted', 'e5 pending'])
  })

  test('an exclusion at the same instant as a step is not between the steps', () => {
    expect(attemptsOf(between, '10:00 A\n10:05 X\n10:05 B')).toEqual(['e1 e3 pending'])
  })
})

describe('ties', () => {
  const tied = `
    10:00 C
    10:00 B
    10:00 A`

  test('events of one instant are taken in the order of the steps', () => {
    expect(attemptsOf(ABC, tied)).toEqual(['e3 e2 e1 converted'])
  })

  test('events of one instant with ordinals are taken in that order', () => {
    expect(attemptsOf(AB, '10:00 B ordinal=0\n10:00 A ordinal=1')).toEqual(['e2 pending'])
    expect(attemptsOf(AB, '10:00 B ordinal=1\n10:00 A ordinal=0')).toEqual(['e2 e1 converted'])
  })

  test('strict-increase requires every step to be later than the previous one', () => {
    const increasing = { ...ABC, ties: 'strict-increase' as const }
    expect(attemptsOf(increasing, tied)).toEqual(['e3 pending'])
    expect(attemptsOf(increasing, '10:00 A\n10:01 B\n10:02 C')).toEqual(['e1 e2 e3 converted'])
  })
})

describe('held values', () => {
  const held = { ...AB, holdConstant: ['properties.sku'] }

  test('held values must be equal at every step', () => {
    const history = `
      10:00 A {"sku":"x"}
      10:01 A {"sku":"y"}
      10:05 B {"sku":"y"}
      10:10 B
      10:15 B {"sku":1}`
    expect(attemptsOf(held, history)).toEqual(['e1 pending', 'e2 e3 converted'])
  })

  test('an entry without the held value opens no attempt', () => {
    expect(attemptsOf(held, '10:00 A\n10:05 B')).toEqual([])
  })

  test('entry latest applies per held value', () => {
    const history = `
      10:00 A {"sku":"x"}
      10:01 A {"sku":"y"}
      10:02 A {"sku":"y"}`
    expect(attemptsOf({ ...held, entry: 'latest' }, history)).toEqual(['e1 pending', 'e3 pending'])
  })
})

test('counting by sessions keeps an attempt within its session', () => {
  const history = `
    10:00 A session=s1
    10:05 B session=s2
    10:10 B session=s1`
  expect(attemptsOf({ ...AB, count: 'sessions' }, history)).toEqual(['e1 e3 converted'])
  expect(attemptsOf(AB, history)).toEqual(['e1 e2 converted'])
})

test.each(['sequential', 'any'] as const)(
  'keeps apart attempts of more sessions and held values than it compares one by one (%s)',
  (order) => {
    const places = Array.from({ length: 20 }, (_, i) => `session=s${i % 4} {"sku":${i % 10}}`)
    // Each place enters once, an exclusion ends the attempts of session s1, and each place takes its
    // next step, the latest first.
    const lines = [
      ...places.map((place) => `10:00 A ${place}`),
      '10:01 X session=s1 {"sku":0}',
      ...places.toReversed().map((place) => `10:02 B ${place}`),
    ]
    const within = { ...AB, holdConstant: ['properties.sku'], count: 'sessions' as const }
    const attempts = attemptsOf({ ...within, order, exclude: [{ event: 'X' }] }, lines.join('\n'))
    const expected = places.map((place, i) =>
      place.startsWith('session=s1') ? `e${i + 1} excluded` : `e${i + 1} e${41 - i} converted`,
    )
    expect(attempts.filter((text) => !text.endsWith('pending')).sort()).toEqual(expected.sort())
  },
)

test('ten thousand open entries take time proportional to their rows', () => {
  const many = (name: string, at: number): GivenEvent[] =>
    Array.from({ length: 10_000 }, (_, i) => ({ id: `${name}${i}`, name, at: at + i }))
  const given = [...many('A', 0), ...many('C', 20_000), ...many('X', 40_000)]
  given.push({ id: 'last', name: 'B', at: 60_000 })
  const funnel = { steps: ['A', 'B', 'C'], within: '1h', exclude: [{ event: 'X', between: TAIL }] }
  const attempts = new FunnelBench(funnel, given).inOneGo(60_000)
  expect(attempts).toHaveLength(10_000)
  expect(attempts[0]?.text).toBe('A0 last pending')
})

/** Steps between which all of them wait. */
const TAIL: [number, number] = [2, 3]
