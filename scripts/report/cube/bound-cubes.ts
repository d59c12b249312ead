/**
 * Bounds the bytes of the cubes on a page. Each gets an equal share, and what small cubes leave is
 * shared by the larger ones. Rare paths go first, and are counted.
 */

import { EVERYTHING, COUNT, eachCell, type CubePart } from './cube.ts'

export type Cubes = { [name: string]: CubePart }

/** Returns the cubes with their rarest paths left out, in at most about `bytesMax` bytes of JSON. */
export function boundCubes(cubes: Cubes, bytesMax: number): Cubes {
  const bySize = Object.entries(cubes)
    .map(([name, cube]) => ({ name, cube, size: bytesOf(cube) }))
    .sort((a, b) => a.size - b.size)
  let [left, waiting] = [bytesMax, bySize.length]
  const bounded = new Map<string, CubePart>()
  for (const { name, cube, size } of bySize) {
    const share = left / waiting
    const fitting = size <= share ? cube : cut(cube, share)
    left -= bytesOf(fitting)
    waiting -= 1
    bounded.set(name, fitting)
  }
  return Object.fromEntries(Object.keys(cubes).map((name) => [name, bounded.get(name) as CubePart]))
}

const bytesOf = (part: object): number => Buffer.byteLength(JSON.stringify(part)) + 1

/** The most common paths that fit. */
function cut(cube: CubePart, bytesMax: number): CubePart {
  let bytes = bytesOf({ ...cube, paths: [] })
  let fitting = 0
  for (const path of cube.paths) {
    bytes += bytesOf(path)
    if (bytes > bytesMax) break
    fitting++
  }
  const dropped = cube.paths.slice(fitting)
  let count = 0
  for (const { cells } of dropped) {
    eachCell(cube, cells, EVERYTHING, (value, kind) => {
      if (cube.kinds[0] !== COUNT || kind === COUNT) count += value
    })
  }
  return { ...cube, paths: cube.paths.slice(0, fitting), others: { paths: dropped.length, count } }
}
