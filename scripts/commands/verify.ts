/**
 * `npm run verify`: checks that the stored tables match the stored events and definitions. It derives
 * all tables again in a scratch warehouse and compares them. With `--against` it compares two
 * warehouses.
 *
 * Exit 0: equal; 1: different, or failed; 2: wrong arguments.
 */

import { formatInstant } from '../../pipeline/base/clock.ts'
import { compareWarehouses, type Comparison } from '../../pipeline/query/compare-warehouses.ts'
import { warehouseToRead } from '../../pipeline/config.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { plainValuesOnRecord, type PlainRows } from '../../pipeline/query/plain-values-on-record.ts'
import { replayEverything } from '../../pipeline/operations/replay-all.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { warehouseCommand } from '../cli/command.ts'
import { counted } from '../../pipeline/base/text.ts'
import { say, sayJson } from '../cli/output.ts'
import { withScratch } from '../cli/scratch-warehouse.ts'

type Options = { warehouse: string; against?: string; json?: boolean }

export const program = warehouseCommand(
  'npm run verify',
  'Derives all tables again from the stored events and compares them.',
)
  .option('--against <url>', 'compare with this warehouse instead')
  .option('--json', 'one JSON object a view')
  .action(verify)

async function verify({ warehouse: url, against, json }: Options): Promise<void> {
  if (against === url)
    throw new UserError(`--against ${url} is the same warehouse: give another one`, 2)
  const warehouse = warehouseToRead(url)
  const other = against === undefined ? null : warehouseToRead(against, '--against')
  try {
    if (other === null) {
      await withScratch(async (scratch) => {
        const onBatch = (done: number) => note(`${counted(done, 'event')} derived again`)
        await warehouse.open()
        const definitions = await definitionsOnRecord(warehouse)
        const plain = await plainValuesOnRecord(warehouse, definitions.identity)
        await replayEverything({ warehouse, scratch, definitions, onBatch })
        await tell(warehouse, scratch, ['stored', 'recomputed'], json === true)
        refusePlain(plain, definitions.identity.hashed, url)
      })
      return
    }
    const [mine, theirs] = [await warehouse.open(), await other.open()]
    if (mine.watermark !== theirs.watermark) {
      const [a, b] = [mine, theirs].map(({ watermark }) =>
        watermark === null ? 'none' : formatInstant(watermark),
      )
      const isBehind = (mine.watermark ?? -Infinity) < (theirs.watermark ?? -Infinity)
      const [later = '', earlier = ''] = isBehind ? [b, url] : [a, against]
      throw new UserError(
        `the watermarks differ (${a} and ${b}), so the tables may differ too; to advance the earlier`,
        1,
        { script: 'start', args: ['--watermark', later, '--warehouse', earlier] },
      )
    }
    await tell(warehouse, other, [url, against as string], json === true)
  } finally {
    await other?.close()
    await warehouse.close()
  }
}

/** Throws a `UserError` if there are plain values of hashed namespaces. */
function refusePlain(plain: PlainRows | null, hashed: readonly string[], url: string): void {
  const found = Object.entries(plain ?? {}).filter(([, rows]) => rows > 0)
  if (found.length === 0) return
  const tables = found.map(([table, rows]) => `${table} (rows: ${rows})`).join(', ')
  throw new UserError(
    `${url} has plain values of hashed namespaces (${hashed.join(', ')}) in ${tables}: they landed ` +
      'before the namespaces were hashed. Load a new warehouse from the source, then delete this one: ' +
      'npm start -- --warehouse duckdb:NEW.duckdb FILE',
  )
}

/** Prints progress if standard error is a terminal. */
function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text} `)
}

async function tell(
  left: Warehouse,
  right: Warehouse,
  names: [string, string],
  json: boolean,
): Promise<void> {
  const comparisons = await compareWarehouses(left, right, (view) => note(`comparing ${view}`))
  note('\n')
  for (const comparison of comparisons) {
    if (json) sayJson(comparison)
    else say(linesOf(comparison, names))
  }
  const unequal = comparisons.filter(({ differing }) => differing > 0)
  if (unequal.length === 0) return
  throw new UserError(`${unequal.length} of ${comparisons.length} views differ`)
}

function linesOf(comparison: Comparison, [left, right]: [string, string]): string[] {
  const { view, rows, hashes, differing, differences } = comparison
  const name = view.padEnd(21)
  if (differing === 0) return [`equal    ${name} ${rows[0]} rows  ${hashes[0].slice(0, 16)}`]
  const counts = `${rows[0]} rows ${left}, ${rows[1]} ${right}`
  const lines = [`differs  ${name} ${counts}; ${differing} differ`]
  for (const difference of differences) {
    if (difference.right === undefined) {
      lines.push(`  only ${left}: ${JSON.stringify(difference.left)}`)
    } else if (difference.left === undefined) {
      lines.push(`  only ${right}: ${JSON.stringify(difference.right)}`)
    } else {
      lines.push(`  ${columnsOf(difference.left, difference.right, left, right)}`)
    }
  }
  return differing > differences.length ? [...lines, '  …'] : lines
}

/** Returns a row and the columns in which it differs, as text. */
function columnsOf(a: Row, b: Row, left: string, right: string): string {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  const differing = names
    .filter((name) => a[name] !== b[name])
    .map((name) => {
      const [was, is] = [JSON.stringify(a[name]), JSON.stringify(b[name])]
      return `${name} is ${was} ${left}, ${is} ${right}`
    })
  return `${JSON.stringify(a)}: ${differing.join('; ')}`
}
