/**
 * `npm run export -- --table transitions --out transitions.parquet`: writes a public relation to a
 * file, in bounded memory. The suffix selects the format: DuckDB writes `.parquet` and `.csv`, also
 * from another warehouse; `.arrow` is an Arrow IPC file, `.ndjson` has one JSON object per line,
 * with bytes in base64.
 */

import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { arrowFile } from '../../pipeline/warehouse/arrow/arrow-file.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { warehouseOf, warehouseToRead } from '../../pipeline/config.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'
import { literal } from '../../pipeline/duckdb/schema.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { didYouMean } from '../../pipeline/definition/check/near-name.ts'
import { publicViews } from '../../pipeline/warehouse/public-views.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { warehouseCommand } from '../cli/command.ts'
import { counted, csvFieldSql } from '../../pipeline/base/text.ts'
import { say } from '../cli/output.ts'
import { withTemporary } from '../cli/temporary.ts'

type Options = { warehouse: string; table: string; out: string }

/** Name and SQL type of a column. */
type Described = { name: string; type: string }

export const program = warehouseCommand('npm run export', 'Writes a public view to a file.')
  .requiredOption('--table <view>', 'public view to write (sql/README.md lists them)')
  .requiredOption('--out <file>', 'file ending in .parquet, .csv, .arrow or .ndjson')
  .action(async (options: Options) => {
    const write = WRITERS[extname(options.out)]
    if (write === undefined) {
      const known = Object.keys(WRITERS).join(', ')
      throw new UserError(`--out ${JSON.stringify(options.out)} must end in one of ${known}`, 2)
    }
    const warehouse = warehouseToRead(options.warehouse)
    await warehouse.open()
    const part = `${options.out}.part`
    try {
      await withTemporary(part, async () => {
        const columns = await described(options.table)
        await write(warehouse, options.table, columns, part)
        await rename(part, options.out)
      })
      const [count] = await warehouse.query(`select count(*) as n from ${options.table}`)
      const rows = counted(Number(count?.['n']), 'row')
      say([`${options.out}: ${rows}`])
    } catch (thrown) {
      if (thrown instanceof UserError) throw thrown
      throw new UserError(`${options.out} could not be written: ${messageOf(thrown)}`)
    } finally {
      await warehouse.close()
    }
  })

type Writer = (
  warehouse: Warehouse,
  table: string,
  columns: Described[],
  path: string,
) => Promise<void>

const WRITERS: { [extension: string]: Writer } = {
  '.parquet': (...of) => copy(...of, 'parquet'),
  '.csv': (warehouse, table, columns, path) =>
    copy(warehouse, table, columns, path, 'csv, header', csvFields(columns)),
  '.arrow': (warehouse, table, columns, path) =>
    pipeline(
      arrowFile(columns, warehouse.stream(`select * from ${table}`)),
      createWriteStream(path),
    ),
  '.ndjson': writeLines,
}

function writeLines(
  warehouse: Warehouse,
  table: string,
  columns: Described[],
  path: string,
): Promise<void> {
  const rows = warehouse.stream(`select * from ${table}`)
  return pipeline(Readable.from(lines(rows, columns)), createWriteStream(path))
}

/** Runs `work` with an empty embedded warehouse, which has the same views as any other. */
async function inMemory<T>(work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const warehouse = warehouseOf('duckdb::memory:', ASKING)
  await warehouse.open()
  try {
    return await work(warehouse)
  } finally {
    await warehouse.close()
  }
}

/** Returns the columns of a public view. Throws a `UserError` for any other name. */
async function described(table: string): Promise<Described[]> {
  const names = [...publicViews().keys()]
  if (!names.includes(table)) {
    const what = `--table ${JSON.stringify(table)} is not a public view`
    throw new UserError(`${what}: ${didYouMean(table, names)}choose one of ${names.join(', ')}`, 2)
  }
  const columns = await inMemory((warehouse) =>
    warehouse.query(
      `select column_name as name, data_type as type from information_schema.columns
       where table_schema = 'main' and table_name = ? order by ordinal_position`,
      [table],
    ),
  )
  return columns as Described[]
}

/** Writes a file with DuckDB. Rows of other warehouses go through a temporary NDJSON file. */
async function copy(
  warehouse: Warehouse,
  table: string,
  columns: Described[],
  path: string,
  format: string,
  fields = '*',
): Promise<void> {
  const written = (rows: string) =>
    `copy (select ${fields} from (${rows})) to ${literal(path)} (format ${format})`
  if (warehouse.url.startsWith('duckdb:')) {
    await warehouse.query(written(`select * from ${table}`))
    return
  }
  const between = `${path}.ndjson`
  await withTemporary(between, async () => {
    await writeLines(warehouse, table, columns, between)
    const texts = columns.map(({ name }) => `${literal(name)}: 'VARCHAR'`).join(', ')
    const values = columns.map(({ name, type }) =>
      type === 'BLOB' ? `from_base64(${name}) as ${name}` : `cast(${name} as ${type}) as ${name}`,
    )
    const rows =
      `select ${values.join(', ')} from read_json(${literal(between)}, ` +
      `format = 'newline_delimited', columns = {${texts}})`
    await inMemory((embedded) => embedded.query(written(rows)))
  })
}

/** Every column as a select list, with texts that no spreadsheet evaluates. */
function csvFields(columns: readonly Described[]): string {
  const texts = new Set(['VARCHAR', 'JSON'])
  return columns
    .map(({ name, type }) => (texts.has(type) ? `${csvFieldSql(name)} as ${name}` : name))
    .join(', ')
}

async function* lines(rows: AsyncIterable<Row[]>, columns: Described[]): AsyncGenerator<string> {
  const instants = columns.filter(({ type }) => type.startsWith('TIMESTAMP'))
  const bytes = columns.filter(({ type }) => type === 'BLOB')
  for await (const part of rows) {
    let text = ''
    for (const row of part) {
      for (const { name } of instants) {
        const instant = row[name]
        if (typeof instant === 'number') row[name] = formatInstant(instant)
      }
      for (const { name } of bytes) {
        row[name] = Buffer.from(row[name] as Uint8Array).toString('base64')
      }
      text += `${JSON.stringify(row)}\n`
    }
    yield text
  }
}
