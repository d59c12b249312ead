/** Ways that are kept where not all fit: those that connect the states, then the ways back. */

import { expect, test } from 'vitest'
import { backIn, keptFirst } from '../../../scripts/report/ways-order.ts'
import { manyWays } from '../../support/report/many-ways.ts'

const { states, ways } = manyWays()
const names = states.map(({ name }) => name)
const isBack = backIn(names)

test('the commonest ways alone would have no way back', () => {
  const commonest = ways.toSorted((a, b) => b.count - a.count).slice(0, 24)
  expect(ways.filter(isBack)).toHaveLength(43)
  expect(commonest.filter(isBack)).toEqual([])
})

test('ways back come before ways on, once every state has a way into it', () => {
  const { ways: kept, connecting, back } = keptFirst(names, ways)
  expect(kept).toHaveLength(ways.length)
  expect(new Set(kept)).toEqual(new Set(ways))
  const reached = new Set(kept.slice(0, connecting).map(({ to }) => to))
  expect(names.slice(1).filter((name) => !reached.has(name))).toEqual([])
  const next = kept.slice(connecting, connecting + back)
  expect(next.every(isBack)).toBe(true)
  expect(next).toEqual(next.toSorted((a, b) => b.count - a.count))
  expect(kept.slice(connecting + back).some(isBack)).toBe(false)
})

test('a loop from a state to itself is a way back, and reaches no new state', () => {
  const loop = { ...ways[0], from: 'a', to: 'a', count: 9 } as (typeof ways)[number]
  const on = { ...loop, to: 'b', count: 1 }
  expect(keptFirst(['a', 'b'], [loop, on])).toEqual({ ways: [on, loop], connecting: 1, back: 1 })
})
