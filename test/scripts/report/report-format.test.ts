/** Numbers as people read them, and what touches a selection. */

import { expect, test } from 'vitest'
import {
  count,
  duration,
  instant,
  percent,
  shortened,
} from '../../../scripts/report/client/format.ts'
import { place } from '../../../scripts/report/client/map/layout.ts'
import { touchesPath, touchesStep, touchesWay } from '../../../scripts/report/client/selection.ts'

test.each([
  [0, '0'],
  [9_999, '9,999'],
  [12_345, '12.3k'],
  [999_499, '999k'],
  [999_500, '1M'],
  [4_120_000, '4.1M'],
])('%d is written %s', (value, text) => {
  expect(count(value)).toBe(text)
})

test.each([
  [0, '0 s'],
  [0.4, '1 ms'],
  [999, '999 ms'],
  [59_400, '59 s'],
  [59_900, '1 m'],
  [200_000, '3 m 20 s'],
  [3_599_900, '1 h'],
  [12_000_000, '3 h 20 m'],
  [86_399_999, '1 d'],
  [10.4 * 86_400_000, '10 d'],
  [400 * 86_400_000, '1 y 35 d'],
  [null, '–'],
])('%s ms is written %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test.each([
  [0, '0 %'],
  [0.0004, '< 0.1 %'],
  [0.0456, '4.6 %'],
  [0.77, '77 %'],
  [0.9996, '> 99.9 %'],
  [1, '100 %'],
  [null, '–'],
])('a rate of %s is written %s', (rate, text) => {
  expect(percent(rate)).toBe(text)
})

test('instants are in UTC', () => {
  expect(instant(1_772_893_502_000)).toBe('7 Mar 2026, 14:25 UTC')
})

test('a way touches the paths that take it in its direction', () => {
  const path = ['cart', 'checkout', 'cart']
  expect(touchesPath({ from: 'cart', to: 'checkout' }, path)).toBe(true)
  expect(touchesPath({ from: 'cart', to: 'cart' }, path)).toBe(false)
  expect(touchesPath({ state: 'checkout' }, path)).toBe(true)
  expect(touchesPath(null, [])).toBe(true)
  expect(path.map((_, i) => touchesStep({ from: 'checkout', to: 'cart' }, path, i))).toEqual([
    false,
    true,
    true,
  ])
  expect(touchesWay({ state: 'cart' }, 'cart', 'paid')).toBe(true)
  expect(touchesWay({ from: 'cart', to: 'paid' }, 'paid', 'cart')).toBe(false)
})

test('what leads on points on, and what leads back points back', () => {
  const box = (name: string) => ({ name, width: 80, height: 40 })
  const shape = { label: { width: 20, height: 10 }, thickness: 2, weight: 1 }
  const lines = [
    { key: 'on', from: 'a', to: 'b', ...shape },
    { key: 'far', from: 'b', to: 'c', ...shape },
    { key: 'back', from: 'c', to: 'a', ...shape },
  ]
  const placed = place(['a', 'b', 'c'].map(box), lines, 'right')
  const x = (name: string) => placed.boxes.get(name)?.x ?? Number.NaN
  expect(x('a')).toBeLessThan(x('b'))
  expect(x('b')).toBeLessThan(x('c'))
  const back = placed.lines.get('back')?.points ?? []
  expect(back[0]?.x).toBeGreaterThan(back.at(-1)?.x ?? Number.NaN)
})

test('a name that is too long loses its middle', () => {
  expect(shortened('checkout', 8)).toBe('checkout')
  expect(shortened('waiting_for_step_21', 9)).toBe('wait…p_21')
  expect(shortened('🙂🙂🙂🙂', 3)).toBe('🙂…🙂')
  expect(shortened('checkout', 1)).toBe('…')
})
