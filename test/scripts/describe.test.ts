/** Exact text of Mermaid state diagrams. */

import { expect, test } from 'vitest'
import type { Guard } from '../../pipeline/definition/guard-syntax.ts'
import type { Journey } from '../../pipeline/definition/journey.ts'
import { countJourney } from '../../scripts/describe/count.ts'
import { guardWords } from '../../pipeline/definition/guard-words.ts'
import { mermaidOf } from '../../scripts/describe/mermaid.ts'
import { startCommands } from '../support/commands.ts'
import { JOURNEYS, reportWarehouse } from '../support/report/report-data.ts'

const lines = (text: string) => text.split('\n').map((line) => line.trim())

const ORDER: Journey = {
  id: 'order',
  version: 1,
  initial: 'cart',
  startOn: ['Add'],
  states: {
    cart: {
      on: {
        Pay: { target: 'paid', guard: { property: 'sum', gte: 10 }, effects: [{ type: 'thanks' }] },
        Remove: [{ target: 'end', guard: { property: 'left', eq: 0 } }, 'cart'],
      },
      after: { '2h': { target: 'end', guard: { visits: 'cart', lt: 3 } }, '1d': 'end' },
      ignore: ['Cancel'],
      effects: [{ type: 'reminder', within: '3d' }],
    },
    paid: { on: { 'Ship: "fast"; <now>': 'end' } },
    end: { type: 'final' },
  },
  on: { Cancel: 'end' },
}

test('a diagram has guards as text, timeouts and effects', () => {
  expect(mermaidOf(ORDER, null)).toBe(`stateDiagram-v2
  direction LR
  state "cart" as cart
  cart: on entry / reminder within 3d
  state "paid" as paid
  state "end" as end_
  [*] --> cart: Add
  cart --> paid: Pay [sum at least 10] / thanks
  cart --> end_: Remove [left is 0]
  cart --> cart: Remove [otherwise]
  cart --> end_: after 2h [visits to cart under 3] or after 1d
  paid --> end_: Ship#58; #34;fast#34;#59; #60;now#62;
  paid --> end_: Cancel
  end_ --> [*]`)
})

test('a diagram with counts has them on states and transitions', () => {
  const text = lines(
    mermaidOf(ORDER, {
      inside: (_, state) => (state === 'cart' ? 4 : 0),
      taken: (_, from, to, event) =>
        (from ?? 'x').length * 100 + to.length * 10 + (event ?? '').length,
    }),
  )
  expect(text).toContain('cart: 4 inside now')
  expect(text).toContain('[*] --> cart: Add (140)')
  expect(text).toContain('cart --> paid: Pay [sum at least 10] / thanks (443)')
  expect(text).toContain('cart --> end_: after 2h [visits to cart under 3] or after 1d (430)')
})

test('counts a journey of a warehouse, by event and by timeout', async () => {
  const warehouse = await reportWarehouse()
  const order = JOURNEYS.find(({ id }) => id === 'order') as Journey
  const text = lines(mermaidOf(order, await countJourney(warehouse, order)))
  expect(text).toEqual(
    expect.arrayContaining([
      'lost: 2 inside now',
      '[*] --> cart: Add (4)',
      'cart --> paying: Pay (4)',
      'cart --> lost: after 2h (2)',
      'paying --> lost: after 1h (0)',
      'lost --> refunded: Refund [sum over 0] (0)',
    ]),
  )
  await expect(countJourney(warehouse, { ...order, version: 2 })).rejects.toThrow(
    'journey order 2 cannot be counted: duckdb::memory: has version 1',
  )
  await expect(countJourney(warehouse, { ...order, id: 'x' })).rejects.toThrow('does not have it')
  await warehouse.close()
})

test('tracks are parallel regions, and states with the same name are distinguished', () => {
  const open = { on: { Go: 'done' } }
  expect(
    mermaidOf(
      {
        id: 'two',
        version: 1,
        type: 'parallel',
        states: {
          left: { initial: 'open', states: { open, done: { type: 'final' } } },
          right: { initial: 'open', states: { open, done: { type: 'final' } } },
        },
      },
      null,
    ),
  ).toBe(`stateDiagram-v2
  state "two" as two {
    state "left" as left {
      state "open" as open
      state "done" as done
      [*] --> open: any known event
      open --> done: Go
      done --> [*]
    }
    --
    state "right" as right {
      state "open" as open_
      state "done" as done_
      [*] --> open_: any known event
      open_ --> done_: Go
      done_ --> [*]
    }
  }`)
})

test.each<[Guard, string]>([
  [{ property: 'a.b', gt: 1, lte: 5 }, 'a.b over 1 and at most 5'],
  [{ context: 'page', startsWith: '/x' }, 'context page starts with /x'],
  [{ field: 'source', in: ['web', 'ios'] }, 'source is one of web, ios'],
  [{ property: 'photo', exists: false }, 'photo is absent'],
  [{ property: 'size', in: [5, '5', '', 'large'] }, 'size is one of 5, "5", "", large'],
  [{ property: 'plan', eq: null }, 'plan is null'],
  [{ count: 'Step', gte: 3 }, 'count of Step at least 3'],
  [{ in: 'support.waiting' }, 'in support.waiting'],
  [{ dwell: { gte: '1m', lt: '1h' } }, 'stayed at least 1m and under 1h'],
  [{ not: { property: 'a', ne: 'b' } }, 'not (a is not b)'],
  [
    { all: [{ in: 'x' }, { any: [{ in: 'y' }, { property: 'z', contains: true }] }] },
    'in x and (in y or z contains true)',
  ],
])('guard %j is written as %s', (guard, words) => {
  expect(guardWords(guard)).toBe(words)
})

const command = startCommands()

test('the command prints a journey, and lists the known ones for an unknown id', async () => {
  const run = (...args: string[]) => command('describe', args)
  const printed = await run('--journey', 'checkout')
  expect(printed).toMatchObject({ status: 0, stderr: '' })
  expect(lines(printed.stdout)).toContain('cart --> checkout: Checkout Started [value at least 10]')
  const unknown = await run('--journey', 'nope')
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('choose one of checkout, onboarding, subscription')
})
