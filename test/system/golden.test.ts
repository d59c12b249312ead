/**
 * Worked cases, each a folder of `golden/`: `events.ndjson` in arrival order, and `expected.txt` with
 * an explanation and the resulting tables, worked out by hand. The definitions are the project's or
 * those of the folder. `watermark`, if it exists, is requested with the last batch.
 *
 * A table is a view's name, a line of some of its columns, and all of its rows in any order; `-` is
 * null. Tables with history are compared for batches of one event, all others for any batches.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { watermarkOf } from '../../pipeline/config.ts'
import { loadDefinitions } from '../../pipeline/definition/load.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { Harness } from '../support/dump.ts'

const GOLDEN = 'test/golden'

type Table = { view: string; columns: string[]; rows: string[] }

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n')
const cellsOf = (line: string) => line.trim().split(/\s{2,}/)

function tablesOf(path: string): Table[] {
  const text = linesOf(path).filter((line) => !line.startsWith('#'))
  return text
    .join('\n')
    .trim()
    .split(/\n\n+/)
    .map((table) => {
      const [view = '', header = '', ...rows] = table.split('\n')
      return { view, columns: cellsOf(header), rows: rows.map((row) => cellsOf(row).join('  ')) }
    })
}

function shown(row: Row): string {
  const cells = Object.entries(row).map(([column, value]) => {
    if (value === null) return '-'
    if (!column.endsWith('_at')) return String(value)
    return formatInstant(value as number).replace(/^(.*)T(.*?)(\.0+)?Z$/, '$1 $2')
  })
  return cells.join('  ')
}

const remembers = ({ view }: Table) => /_versions$|_facts$|^effects$/.test(view)

const CASES = readdirSync(GOLDEN).filter((name) => name !== 'warehouses')

describe.each(CASES)('%s', (name) => {
  const dir = join(GOLDEN, name)
  const own = join(dir, 'definitions')
  const events = linesOf(join(dir, 'events.ndjson')).filter((line) => line !== '')
  const tables = tablesOf(join(dir, 'expected.txt'))
  const asked = join(dir, 'watermark')
  const watermark = existsSync(asked) ? watermarkOf((linesOf(asked)[0] as string).trim()) : null

  test.each<[how: string, batches: string[][], tables: Table[]]>([
    ['one by one', events.map((event) => [event]), tables],
    ['all at once', [events], tables.filter((table) => !remembers(table))],
    ['backwards', events.toReversed().map((event) => [event]), tables.filter((t) => !remembers(t))],
  ])('%s', async (_how, batches, expected) => {
    const harness = new Harness(await loadDefinitions(existsSync(own) ? own : 'definitions'))
    for (const [i, batch] of batches.entries()) {
      await harness.feed(batch, i === batches.length - 1 ? watermark : null)
    }
    expect(expected.length).toBeGreaterThan(0)
    for (const { view, columns, rows } of expected) {
      const found = await harness.warehouse.query(`select ${columns.join(', ')} from ${view}`)
      expect({ view, rows: found.map(shown).sort() }).toEqual({ view, rows: rows.toSorted() })
    }
    await harness.warehouse.close()
  })
})
