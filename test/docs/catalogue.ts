/** The tables of `sql/README.md`: every public view and column, from the catalogue. */

import { readdirSync } from 'node:fs'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { publicViews } from '../../pipeline/warehouse/public-views.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { TABLES, type TableSpec } from '../../pipeline/warehouse/tables.ts'

/** SQL types in the words of the page; DuckDB sums integers to HUGEINT. */
const TYPES: { [type: string]: string } = {
  VARCHAR: 'text',
  BIGINT: 'integer',
  HUGEINT: 'integer',
  DOUBLE: 'number',
  DATE: 'date',
  JSON: 'JSON text',
  UUID: 'uuid',
  BLOB: 'bytes',
  BOOLEAN: 'boolean',
  'TIMESTAMP WITH TIME ZONE': 'instant',
}

const namesIn = (folder: string) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()

const versionsOf = new Map(
  Object.values(TABLES as { [name: string]: TableSpec }).flatMap(({ view, versions }) =>
    view === undefined || versions === undefined ? [] : [[view, versions] as const],
  ),
)

const HEAD = '| column | type | meaning |\n|---|---|---|\n'
const ABOUT_VERSIONS = 'A view of all versions has the stored columns of its view and these.'
/** `recorded_at`, `recorded_by`, `superseded_at`, `superseded_by`, `superseded_because`. */
const VERSION_COLUMNS = 5

/** Returns the section of a folder of views, as Markdown. */
export async function catalogueOf(folder: string): Promise<string> {
  const warehouse = duckdbWarehouse(':memory:')
  await warehouse.open()
  const sections: string[] = []
  const views = namesIn(folder)
  for (const view of views) {
    const rows = await rowsOf(warehouse, view)
    const versions = versionsOf.get(view)
    sections.push(
      `#### \`${view}\`\n\n${publicViews().get(view)?.about}` +
        `${versions === undefined ? '' : ` All versions: \`${versions}\`.`}\n\n` +
        `${HEAD}${rows.join('\n')}\n`,
    )
  }
  if (views.some((view) => versionsOf.has(view))) {
    const rows = (await rowsOf(warehouse, 'session_versions')).slice(-VERSION_COLUMNS)
    sections.push(`#### Versions\n\n${ABOUT_VERSIONS}\n\n${HEAD}${rows.join('\n')}\n`)
  }
  await warehouse.close()
  return sections.join('\n')
}

async function rowsOf(warehouse: Warehouse, view: string): Promise<string[]> {
  const columns = await warehouse.query(
    `select column_name, data_type from information_schema.columns
     where table_schema = 'main' and table_name = ?`,
    [view],
  )
  const types = new Map(
    columns.map((column) => [column['column_name'], String(column['data_type'])]),
  )
  const described = publicViews().get(view)?.columns ?? []
  return described.map(({ name, about }) => {
    const type = String(types.get(name))
    return `| \`${name}\` | ${TYPES[type] ?? type} | ${about} |`
  })
}
