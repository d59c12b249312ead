/** A tall layout of the map in columns: everything stays in sight, and lines stay in one piece. */

import { describe, expect, test } from 'vitest'
import { folded } from '../../../scripts/report/client/map/fold.ts'
import { place, widthRightwards, type Line } from '../../../scripts/report/client/map/layout.ts'

const ROOM = { width: 1_100, height: 720 }
const names = Array.from({ length: 30 }, (_, i) => `state_${i}`)
const boxes = names.map((name) => ({ name, width: 110, height: 54 }))
const lineOf = (from: string, to: string): Line => ({
  key: `${from} ${to}`,
  from,
  to,
  label: { width: 70, height: 34 },
  thickness: 4,
  weight: 5,
})
const chain = names.slice(1).map((name, i) => lineOf(names[i] as string, name))
const back = [
  lineOf('state_20', 'state_2'),
  lineOf('state_9', 'state_7'),
  lineOf('state_4', 'state_4'),
]
const tall = place(boxes, [...chain, ...back], 'down')

describe('a chain of 30 states with ways back', () => {
  const columns = folded(tall, boxes, [...chain, ...back], ROOM)

  test('is at least three times as large as in one column', () => {
    const scale = ({ width, height }: { width: number; height: number }) =>
      Math.min(ROOM.width / width, ROOM.height / height)
    expect(scale(columns)).toBeGreaterThan(3 * scale(tall))
    expect(scale(columns)).toBeGreaterThan(0.5)
  })

  test('has every box and every point of a line inside, and no two boxes at one place', () => {
    const isInside = ({ x, y }: { x: number; y: number }) =>
      x >= 0 && y >= 0 && x <= columns.width && y <= columns.height
    const places = [...columns.boxes.values()]
    expect(places.filter((at) => !isInside(at))).toEqual([])
    const points = [...columns.lines.values()].flatMap((line) => line.points)
    expect(points.filter((at) => !isInside(at))).toEqual([])
    const isApart = (a: { x: number; y: number }, b: { x: number; y: number }) =>
      Math.abs(a.x - b.x) >= 110 || Math.abs(a.y - b.y) >= 54
    places.forEach((a, i) => {
      expect(places.slice(i + 1).filter((b) => !isApart(a, b))).toEqual([])
    })
  })

  test('has lines that begin and end at their boxes', () => {
    for (const { key, from, to } of [...chain, ...back.slice(0, 2)]) {
      const points = columns.lines.get(key)?.points ?? []
      for (const [name, point] of [
        [from, points[0]],
        [to, points.at(-1)],
      ] as const) {
        const box = columns.boxes.get(name) ?? { x: NaN, y: NaN }
        expect(Math.abs((point?.x ?? NaN) - box.x)).toBeLessThanOrEqual(55)
        expect(Math.abs(Math.abs((point?.y ?? NaN) - box.y) - 27)).toBeLessThan(1)
      }
    }
  })
})

test('a layout that fits stays as it is', () => {
  const [few, some] = [boxes.slice(0, 4), chain.slice(0, 3)]
  const placed = place(few, some, 'down')
  expect(folded(placed, few, some, ROOM)).toBe(placed)
})

test('the width of a map that runs right is estimated within a fifth', () => {
  for (const count of [3, 10, 30]) {
    const [few, some] = [boxes.slice(0, count), chain.slice(0, count - 1)]
    const { width } = place(few, some, 'right')
    const estimate = widthRightwards(few, some)
    expect(Math.abs(estimate - width)).toBeLessThan(width / 5)
  }
})
