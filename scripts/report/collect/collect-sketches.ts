/**
 * Sketches of durations as cubes of buckets. Where they would take too much room, buckets grow wider;
 * beyond the widest, sketches of rare paths are left out.
 */

import type { Row, Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { SKETCH_BYTES_MAX, SKETCH_ROWS_MAX, VALUES_MAX } from '../bounds.ts'
import { boundCubes, type Cubes } from '../cube/bound-cubes.ts'
import { bucketKind, cubeName } from '../cube/cube-names.ts'
import { packCube, type Cell } from '../cube/cube.ts'
import type { SketchPart } from '../document.ts'
import { grouped, number, text } from '../read.ts'
import { sketchSql, SKETCHES, type SketchName } from '../sketch/sketch-sql.ts'
import { errorOf, LEVEL_MAX } from '../sketch/sketch.ts'
import { placed } from './collect-cubes.ts'

/** Returns the sketches of the journeys, and of the funnels by events. `value` is the expression
 * of a group, or null. */
export async function collectSketches(
  warehouse: Warehouse,
  journeys: string[],
  value: string | null,
): Promise<SketchPart> {
  for (let level = 0; ; level++) {
    const cubes = await cubesOf(warehouse, new Set(['', ...journeys]), value, level)
    const isLast = level === LEVEL_MAX
    if (cubes === null && !isLast) continue
    const bytes = cubes === null ? 0 : bytesOf(cubes)
    if (bytes > SKETCH_BYTES_MAX && !isLast) continue
    const bounded = boundCubes(cubes ?? {}, SKETCH_BYTES_MAX)
    return {
      level,
      error: errorOf(level),
      bytes: bytesOf(bounded),
      bytesMax: SKETCH_BYTES_MAX,
      cubes: bounded,
    }
  }
}

const bytesOf = (cubes: Cubes): number => Buffer.byteLength(JSON.stringify(cubes))

/** Null if a sketch has too many rows; at the last level it is left out instead. */
async function cubesOf(
  warehouse: Warehouse,
  owners: Set<string>,
  value: string | null,
  level: number,
): Promise<Cubes | null> {
  const cubes: Cubes = {}
  for (const name of SKETCHES) {
    const sql = `${sketchSql(name, value, level)} limit ${SKETCH_ROWS_MAX + 1}`
    const rows = await warehouse.query(sql)
    if (rows.length > SKETCH_ROWS_MAX) {
      if (level < LEVEL_MAX) return null
      continue
    }
    const own = rows.filter((row) => owners.has(text(row['owner'])))
    for (const same of grouped(own, (row) => keyOf(name, row)).values()) {
      cubes[keyOf(name, same[0] as Row)] = pack(same.map((row) => cellOf(row, value !== null)))
    }
  }
  return cubes
}

function keyOf(name: SketchName, row: Row): string {
  const owner = text(row['owner'])
  return row['track'] === undefined
    ? cubeName[name as 'steps'](owner, text(row['funnel']))
    : cubeName[name as 'stays'](owner, text(row['track']))
}

function cellOf(row: Row, hasGroups: boolean): Cell {
  return {
    ...placed(hasGroups ? row : { ...row, group_value: undefined }),
    path: text(row['path']),
    kind: bucketKind(text(row['kind']), number(row['bucket'])),
    value: number(row['times']),
  }
}

/** Buckets in order, so that the gaps between them are small. */
function pack(cells: Cell[]) {
  const kinds = [...new Set(cells.map(({ kind }) => kind))]
  return packCube(cells, kinds.sort(byBucket), VALUES_MAX)
}

const byBucket = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })
