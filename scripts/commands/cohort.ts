/**
 * `npm run cohort -- list | run | show | members`: computes the members of cohorts, at any event
 * time and knowledge time, and records who entered or left since the last run, with the reason.
 *
 * Exit 0: done; 1: failed; 2: wrong arguments.
 */

import { existsSync } from 'node:fs'
import { formatInstant } from '../../pipeline/base/clock.ts'
import type {
  ChangeReason,
  CohortChange,
  CohortRun,
} from '../../pipeline/warehouse/cohort-change.ts'
import type { Cohort } from '../../pipeline/definition/cohort.ts'
import { cohortMembers, runCohorts } from '../../pipeline/query/run-cohorts.ts'
import { instantOf, warehouseOf } from '../../pipeline/config.ts'
import { definitionsIn } from '../cli/definitions.ts'
import { ASKING } from '../../pipeline/duckdb/resource-limits.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import type { Head, Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { counted } from '../../pipeline/base/text.ts'
import { ReleaseLog } from '../../pipeline/warehouse/release-log.ts'
import { command, warehouseCommand } from '../cli/command.ts'
import { folderOf } from '../cli/definitions-folder.ts'
import { say } from '../cli/output.ts'
import { grouped, percent } from '../cli/funnel-lines.ts'

type Options = { warehouse: string; definitions?: string; json?: boolean }

const CHANGES_SHOWN = 10

const REASONS: { [R in ChangeReason]: string } = {
  first_run: 'first run of this cohort',
  moved_on: 'events or time since the last run',
  corrected: 'earlier rows were corrected',
  identity: 'profiles were merged or split',
  redefined: 'new version of the cohort or its journey',
}

const reasonText = (reason: ChangeReason) => `${reason} (${REASONS[reason]})`

/** Open warehouse of an action, its last commit and the cohorts. */
type Ask = { warehouse: Warehouse; head: Head; cohorts: Cohort[] }

const cohortCommand = (name: string, description: string) =>
  warehouseCommand(name, description)
    .option('--definitions <dir>', 'folder with cohorts/*.ts (default: the one last given)')
    .option('--json', 'one JSON object a line')

const list = cohortCommand('list', 'Lists cohorts and their sizes at their last run.').action(
  (options: Options) => asking(options, (ask) => listed(ask, options.json === true)),
)

const run = cohortCommand('run', 'Computes members at the watermark and records the changes.')
  .argument('[ids...]', 'ids of cohorts (default: all)')
  .action((ids: string[], options: Options) =>
    asking(options, async ({ warehouse, head, cohorts }) => {
      const chosen = ids.length === 0 ? cohorts : ids.map((id) => cohortOf(cohorts, id))
      const { runs, changes } = await runCohorts(warehouse, head, chosen)
      if (options.json === true) for (const one of runs) print(JSON.stringify(one))
      else if (runs.length === 0) print('nothing was committed since the last run')
      else for (const one of runs) print(inWords(one, changes))
    }),
  )

const show = cohortCommand('show', 'Shows a cohort: its condition, overlaps and changes.')
  .argument('<id>', 'id of the cohort')
  .action((id: string, options: Options) =>
    asking(options, async ({ warehouse, cohorts }) => {
      const cohort = cohortOf(cohorts, id)
      const overlaps = await overlapsOf(warehouse, id)
      const changes = await changesOf(warehouse, id)
      if (options.json === true) print(JSON.stringify({ ...cohort, overlaps, changes }))
      else print(shown(cohort, overlaps, changes))
    }),
  )

type MemberOptions = Options & { at?: string; asOf?: string }

const members = cohortCommand('members', 'Lists members, computed now.')
  .argument('<id>', 'id of the cohort')
  .option('--at <instant>', 'event time, RFC 3339 (default: the watermark)')
  .option('--as-of <instant>', 'knowledge time, RFC 3339 (default: now)')
  .action((id: string, options: MemberOptions) =>
    asking(options, async ({ warehouse, cohorts }) => {
      const cohort = cohortOf(cohorts, id)
      const believedAt = options.asOf === undefined ? null : instantOf('--as-of', options.asOf)
      const watermark = await watermarkOf(warehouse, believedAt)
      const at = options.at === undefined ? watermark : instantOf('--at', options.at)
      if (at > watermark) {
        const what = `--at ${formatInstant(at)} is after the watermark`
        throw new UserError(`${what}, ${formatInstant(watermark)}: use an earlier instant`, 2)
      }
      const found = cohortMembers(warehouse, cohort, { at, believedAt })
      for await (const profile of found) {
        print(options.json === true ? JSON.stringify({ cohort: id, profile_id: profile }) : profile)
      }
    }),
  )

async function asking(options: Options, action: (ask: Ask) => Promise<void>): Promise<void> {
  const warehouse = warehouseOf(options.warehouse, ASKING)
  try {
    const head = await warehouse.open()
    await action({ warehouse, head, cohorts: await cohortsOf(warehouse, options.definitions) })
  } finally {
    await warehouse.close()
  }
}

/** Returns the cohorts of the folder and those on record, by id. The folder takes precedence, and
 * need not exist: the first run of a cohort records its definition. */
async function cohortsOf(warehouse: Warehouse, given: string | undefined): Promise<Cohort[]> {
  const folder = await folderOf(warehouse, given)
  const isThere = given !== undefined || existsSync(folder)
  const defined = isThere ? (await definitionsIn(folder)).cohorts : []
  const cohorts = new Map<string, Cohort>()
  for (const { id, content } of (await ReleaseLog.read(warehouse, "kind = 'cohort'")).entries) {
    cohorts.set(id, JSON.parse(content) as Cohort)
  }
  for (const cohort of defined) cohorts.set(cohort.id, cohort)
  return [...cohorts.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function cohortOf(cohorts: Cohort[], id: string): Cohort {
  const cohort = cohorts.find((one) => one.id === id)
  if (cohort !== undefined) return cohort
  const known = cohorts.map((one) => one.id).join(', ') || 'none'
  throw new UserError(`cohort ${JSON.stringify(id)} is not defined; the cohorts are: ${known}`, 2)
}

async function watermarkOf(warehouse: Warehouse, believedAt: number | null): Promise<number> {
  const [row] = await warehouse.query(
    `select max(watermark) as watermark from batches
     ${believedAt === null ? '' : `where recorded_at <= timestamp_micros(${believedAt})`}`,
  )
  const watermark = (row?.['watermark'] ?? null) as number | null
  if (watermark !== null) return watermark
  const then = believedAt === null ? '' : ` at ${formatInstant(believedAt)}`
  throw new UserError(`${warehouse.url} had no events${then}`)
}

async function listed({ warehouse, cohorts }: Ask, json: boolean): Promise<void> {
  if (cohorts.length === 0 && !json) {
    print('no cohorts are defined; write one as cohorts/NAME.ts in the definitions folder')
  }
  const runs = await warehouse.query(
    `select cohort, member_count, evaluated_at from cohort_runs
     qualify row_number() over (partition by cohort order by recorded_by desc) = 1`,
  )
  const width = Math.max(...cohorts.map(({ id }) => id.length))
  for (const { id } of cohorts) {
    const last = runs.find(({ cohort }) => cohort === id)
    if (json) {
      const evaluatedAt = last === undefined ? null : last['evaluated_at']
      print(JSON.stringify({ cohort: id, members: last?.['member_count'] ?? null, evaluatedAt }))
      continue
    }
    const size =
      last === undefined
        ? 'never run'
        : `${counted(Number(last['member_count']), 'member')} as of ` +
          formatInstant(last['evaluated_at'] as number)
    print(`${id.padEnd(width)}  ${size}`)
  }
}

function overlapsOf(warehouse: Warehouse, id: string): Promise<Row[]> {
  return warehouse.query(
    `select theirs.cohort, count(mine.profile_id) as shared, count(*) as others
     from cohort_members as theirs
     left join (select profile_id from cohort_members where cohort = ?) as mine
       on mine.profile_id = theirs.profile_id
     group by theirs.cohort order by theirs.cohort`,
    [id],
  )
}

async function changesOf(warehouse: Warehouse, id: string): Promise<Row[]> {
  const rows = await warehouse.query(
    `select recorded_at, change, reason, count(*) as people from cohort_changes
     where cohort = ? group by recorded_at, change, reason
     order by recorded_at desc, change, reason limit ${CHANGES_SHOWN}`,
    [id],
  )
  return rows.map((row) => ({ ...row, recorded_at: formatInstant(row['recorded_at'] as number) }))
}

function shown(cohort: Cohort, overlaps: Row[], changes: Row[]): string {
  const size = Number(overlaps.find((row) => row['cohort'] === cohort.id)?.['others'] ?? 0)
  return [
    `${cohort.id}, version ${cohort.version ?? 1}: ${counted(size, 'member')} at the last run`,
    ...JSON.stringify(cohort.who, null, 2)
      .split('\n')
      .map((line) => `  ${line}`),
    ...overlaps
      .filter((row) => row['cohort'] !== cohort.id)
      .map(
        (row) =>
          `shares ${grouped(row['shared'])} with ${String(row['cohort'])} ` +
          `(${percent(Number(row['shared']), size)} of its own)`,
      ),
    ...changes.map(
      (row) =>
        `${String(row['recorded_at'])}  ${String(row['change']).padEnd(7)} ` +
        `${grouped(row['people'])}, ${reasonText(row['reason'] as ChangeReason)}`,
    ),
  ].join('\n')
}

function inWords({ cohort, members, entered, left, evaluatedAt }: CohortRun, all: CohortChange[]) {
  const changes = all.filter((change) => change.cohort === cohort)
  return [
    `${cohort}: ${counted(members, 'member')} as of ${formatInstant(evaluatedAt)}`,
    ...(entered > 0 ? [`  entered ${grouped(entered)}: ${reasons(changes, 'entered')}`] : []),
    ...(left > 0 ? [`  left    ${grouped(left)}: ${reasons(changes, 'left')}`] : []),
    ...(entered + left === 0 ? ['  no one entered or left'] : []),
  ].join('\n')
}

function reasons(changes: CohortChange[], change: CohortChange['change']): string {
  const counts = new Map<ChangeReason, number>()
  for (const one of changes) {
    if (one.change === change) counts.set(one.reason, (counts.get(one.reason) ?? 0) + 1)
  }
  const ranked = [...counts].sort(([, a], [, b]) => b - a)
  return ranked.map(([reason, count]) => `${grouped(count)} ${reasonText(reason)}`).join(', ')
}

function print(text: string): void {
  say(text.split('\n'))
}

export const program = command('npm run cohort', 'Lists, runs and prints cohorts.')
for (const part of [list, run, show, members]) program.addCommand(part)
