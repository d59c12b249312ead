/**
 * `npm run funnel -- --steps 'A, B, C' --within 7d`: computes a funnel over the stored events without
 * releasing it. The stage and the views are those of released funnels; the time is the watermark.
 *
 * Exit 0: done; 1: failed; 2: wrong arguments.
 */

import pc from 'picocolors'
import { askFunnel, type FunnelAnswer } from '../../pipeline/query/ask-funnel.ts'
import { checkFunnel } from '../../pipeline/definition/check/check-funnel.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { warehouseToRead } from '../../pipeline/config.ts'
import { namesOfFunnels } from '../../pipeline/definition/compile-funnel.ts'
import { nearestName } from '../../pipeline/definition/check/near-name.ts'
import { showWarnings } from '../cli/definitions.ts'
import { makeDefinitions } from '../../pipeline/definition/load.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { COUNTS, ENTRIES, ORDERS, type EventFunnel } from '../../pipeline/definition/funnel.ts'
import { PATH_FORMS, pathFault } from '../../pipeline/definition/path.ts'
import type { Json } from '../../pipeline/base/json.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { warehouseCommand } from '../cli/command.ts'
import { funnelLines, grouped, maturedText } from '../cli/funnel-lines.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { printable } from '../../pipeline/base/text.ts'
import { withScratch } from '../cli/scratch-warehouse.ts'

type Options = {
  warehouse: string
  steps?: string
  within?: string
  order?: string
  entry?: string
  count?: string
  by?: string
  definition?: string
  cohort?: string
  json?: boolean
}

const WITHIN_DEFAULT = '7d'
const GROUPS_SHOWN = 20
const NAMES_SHOWN = 20

export const program = warehouseCommand(
  'npm run funnel',
  'Counts conversions between stored events.',
)
  .option('--steps <names>', "event names in order, 'A, B, C'")
  .option('--within <duration>', 'longest time from the first step to the last (default: 7d)')
  .option('--order <order>', ORDERS.join(', '))
  .option('--entry <entry>', ENTRIES.join(', '))
  .option('--count <unit>', COUNTS.filter((count) => count !== 'instances').join(', '))
  .option('--by <value>', `group by a value of the entry event: ${PATH_FORMS}`)
  .option('--cohort <id>', 'only members of the cohort at its last run')
  .option('--definition <id>', 'a live funnel instead of --steps')
  .option('--json', 'one JSON object')
  .action(ask)

async function ask(options: Options): Promise<void> {
  const asked = options.definition === undefined ? askedFunnel(options) : null
  const by = byOf(options.by)
  const warehouse = warehouseToRead(options.warehouse)
  try {
    const { watermark } = await warehouse.open()
    const funnel = asked ?? (await recordedFunnel(warehouse, options.definition as string))
    const definitions = makeDefinitions({ funnels: [funnel] })
    const cohort = options.cohort ?? null
    if (cohort !== null) await refuseNeverRun(warehouse, cohort)
    await checkSteps(warehouse, funnel, options.definition === undefined)
    const answer = await withScratch((scratch) =>
      askFunnel({ warehouse, watermark, scratch, definitions, by, cohort }),
    )
    const text = options.json === true ? jsonOf(answer, watermark) : textOf(answer, watermark, by)
    process.stdout.write(text)
  } finally {
    await warehouse.close()
  }
}

async function recordedFunnel(warehouse: Warehouse, id: string): Promise<EventFunnel> {
  const { funnels } = await definitionsOnRecord(warehouse)
  const found = funnels.find((one) => one.id === id)
  if (found !== undefined) return found
  const known = funnels.map((one) => one.id).join(', ') || 'none'
  const what = `--definition ${id} is not live in ${warehouse.url}; live funnels: ${known}; to build it from the definitions`
  throw new UserError(what, 2, { script: 'replay', args: ['--funnel', id] })
}

function askedFunnel(options: Options): EventFunnel {
  const { steps } = options
  if (steps === undefined) {
    throw new UserError("no steps are given: use --steps 'A, B, C' or --definition ID", 2)
  }
  const { within = WITHIN_DEFAULT, order, entry, count } = options
  const funnel = {
    id: 'asked',
    steps: steps
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    ...Object.fromEntries(
      Object.entries({ within, order, entry, count }).filter(([, value]) => value !== undefined),
    ),
  }
  const problems = checkFunnel('the funnel', funnel)
  if (problems.length > 0) throw new UserError(problems.join('\n'), 2)
  return funnel as EventFunnel
}

async function refuseNeverRun(warehouse: Warehouse, cohort: string): Promise<void> {
  const runs = await warehouse.query('select distinct cohort from cohort_runs order by cohort')
  const known = runs.map((run) => run['cohort'] as string)
  if (known.includes(cohort)) return
  const what = `--cohort ${cohort} has not been run in this warehouse`
  const there = known.join(', ') || 'none'
  const next = { script: 'cohort', args: ['run', cohort] }
  throw new UserError(`${what}; cohorts with a run: ${there}; to run it`, 2, next)
}

/**
 * Compares the events of a funnel with those on record. A misspelt name of an ad-hoc funnel is an
 * error; any other unknown name is a warning, because its events may still come.
 */
async function checkSteps(
  warehouse: Warehouse,
  funnel: EventFunnel,
  isAdHoc: boolean,
): Promise<void> {
  const rows = await warehouse.query(
    'select name from events group by name order by count(*) desc, name',
  )
  const onRecord = rows.map((row) => row['name'] as string)
  for (const step of new Set(namesOfFunnels([funnel]))) {
    if (onRecord.includes(step)) continue
    const nearest = nearestName(step, onRecord)
    const fix = nearest === null ? '' : `did you mean '${nearest.name}'? `
    const known = onRecord.slice(0, NAMES_SHOWN).join(', ') || 'none'
    const what = `no stored event is named '${step}'; ${fix}the names are: ${known}`
    if (isAdHoc && nearest?.isSlip === true) throw new UserError(what, 2)
    showWarnings([what])
  }
}

function byOf(by: string | undefined): string | null {
  if (by === undefined) return null
  const fault = pathFault(by)
  if (fault === null) return by
  throw new UserError(`--by: ${fault}`, 2)
}

function jsonOf(answer: FunnelAnswer, watermark: number | null): string {
  const withOptions = (row: Row) => {
    const options = JSON.parse(String(row['options'])) as Json
    return { ...row, options }
  }
  const conversion = withOptions(answer.conversion)
  const steps = answer.steps.map(withOptions)
  const asOf = watermark === null ? null : formatInstant(watermark)
  return `${JSON.stringify({ watermark: asOf, conversion, steps, groups: answer.groups })}\n`
}

function textOf(answer: FunnelAnswer, watermark: number | null, by: string | null): string {
  const { conversion, steps, groups } = answer
  const asOf = watermark === null ? 'no events yet' : `as of ${formatInstant(watermark)}`
  const paint = pc.createColors(process.stdout.isTTY === true)
  const lines = [paint.bold(`Funnel, ${asOf}`), ...funnelLines(steps, conversion, paint)]
  if (by !== null) {
    lines.push('', paint.bold(`By ${printable(by)} of the entry`))
    const label = Math.max(...groups.map((group) => nameOf(group['source']).length), 0)
    for (const group of groups.slice(0, GROUPS_SHOWN)) {
      lines.push(
        `${nameOf(group['source']).padEnd(label)} ` +
          `${grouped(group['entered']).padStart(9)} entered, ` +
          `${maturedText(group, String(conversion['count_by']))}, ` +
          `${grouped(group['pending'])} pending`,
      )
    }
    if (groups.length > GROUPS_SHOWN) {
      lines.push(`and ${grouped(groups.length - GROUPS_SHOWN)} more: --json has them all`)
    }
  }
  return `${lines.join('\n')}\n`
}

const nameOf = (value: unknown): string => (value === null ? '(none)' : printable(String(value)))
