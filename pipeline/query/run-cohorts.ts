/**
 * Cohort members and cohort runs. A run compares the members with those of the previous run, and
 * commits who entered and who left in a batch of its own.
 *
 * The reason for a change is found by evaluating the cohort again at the time of the previous run,
 * with today's rows. If the result then equals the previous run's, the profile has moved on since;
 * otherwise the rows were corrected.
 */

import { now } from '../base/clock.ts'
import {
  SUPERSEDED_BY,
  type ChangeReason,
  type CohortChange,
  type CohortRun,
} from '../warehouse/cohort-change.ts'
import { compileCohorts, type CompiledCohort } from '../definition/compile-cohort.ts'
import type { Cohort } from '../definition/cohort.ts'
import { emptyError } from './as-of.ts'
import { cohortProfiles, type CohortProfile, type Instants } from './cohort-profiles.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { releaseOf, type Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import { IS_MOVE, ReleaseLog } from '../warehouse/release-log.ts'
import { Texts } from '../base/texts.ts'
import { Supersedes, type TableChange } from '../microbatch/rows/changelog.ts'
import { Rows } from '../microbatch/rows/rows.ts'
import type { Head, Row, Warehouse } from '../warehouse/warehouse.ts'

/** Value of `batches.origin` for cohort runs. */
const COHORT_ORIGIN = 'cohort run'

/** Cohort versions are recorded and never promoted: a run uses the definitions it is given. */
const ON_RECORD = { action: 'registered', reason: 'first run', by: null } as const

/** Yields the members of a cohort, by ascending id. */
export async function* cohortMembers(
  warehouse: Warehouse,
  cohort: Cohort,
  instants: Instants,
): AsyncGenerator<string> {
  const compiled = compileCohorts([cohort])
  for await (const profile of cohortProfiles(warehouse, compiled, instants, null)) {
    const isMember = compiled.cohorts.some((one) => isIn(one, profile, instants.at))
    if (isMember) yield profile.id
  }
}

function isIn({ holds }: CompiledCohort, { moves, seenAt }: CohortProfile, at: number): boolean {
  if (seenAt > at) return false
  const later = moves.findIndex((move) => move.at > at)
  return holds(later < 0 ? moves : moves.slice(0, later), at)
}

export type CohortReport = { runs: CohortRun[]; changes: CohortChange[] }

/** Previous run of a cohort. */
type Before = { version: number; evaluatedAt: number; recordedAt: number; recordedBy: number }

type Evaluation = { compiled: CompiledCohort; before: Before | null; isRedefined: boolean }

/** Runs cohorts as of the watermark. Skips cohorts for which nothing was committed since their last
 * run. */
export async function runCohorts(
  warehouse: Warehouse,
  head: Head,
  cohorts: readonly Cohort[],
): Promise<CohortReport> {
  const { watermark: at } = head
  if (at === null) throw emptyError(warehouse)
  const releases = await unreleased(warehouse, cohorts)
  const { cohorts: all, paths } = compileCohorts(cohorts)
  const evaluations: Evaluation[] = []
  for (const compiled of all) {
    const one = await evaluationOf(warehouse, compiled)
    if (one !== null) evaluations.push(one)
  }
  if (evaluations.length === 0) return { runs: [], changes: [] }
  const compiled = { cohorts: evaluations.map((one) => one.compiled), paths }
  const touchedSince = Math.min(...evaluations.map(({ before }) => before?.recordedAt ?? Infinity))
  const since = { touchedSince: Number.isFinite(touchedSince) ? touchedSince : head.recordedAt }
  const comparison = new Comparison(evaluations, at)
  const instants = { at, believedAt: null }
  for await (const profile of cohortProfiles(warehouse, compiled, instants, since)) {
    comparison.add(profile)
  }
  await commit(warehouse, head, comparison, releases)
  return comparison
}

/** Returns the cohorts that are not recorded yet. The content of a recorded version must not
 * change. */
async function unreleased(warehouse: Warehouse, cohorts: readonly Cohort[]): Promise<Release[]> {
  const known = await ReleaseLog.read(warehouse, "kind = 'cohort'")
  return cohorts.flatMap((cohort) => {
    const { id, version = 1 } = cohort
    const release = releaseOf('cohort', id, version, cohort)
    const same = known.registered('cohort', id, version)
    if (same === undefined) return [release]
    if (same.hash === release.hash) return []
    throw new UserError(
      `cohort ${id} version ${version} is already recorded with other content: undo the change, or ` +
        `set its version to ${version + 1}`,
    )
  })
}

async function evaluationOf(
  warehouse: Warehouse,
  compiled: CompiledCohort,
): Promise<Evaluation | null> {
  const [row] = await warehouse.query(
    `select version, evaluated_at, recorded_at, recorded_by from cohort_runs
     where cohort = ? order by recorded_by desc limit 1`,
    [compiled.id],
  )
  if (row === undefined) return { compiled, before: null, isRedefined: false }
  const before = {
    version: row['version'] as number,
    evaluatedAt: row['evaluated_at'] as number,
    recordedAt: row['recorded_at'] as number,
    recordedBy: row['recorded_by'] as number,
  }
  const since = async (sql: string): Promise<Row[]> => warehouse.query(sql, [before.recordedBy])
  const committed = await since(
    `select batch from batches where batch > ? and origin <> '${COHORT_ORIGIN}' limit 1`,
  )
  const isNew = before.version !== compiled.version
  if (committed.length === 0 && !isNew) return null
  const promoted = await since(
    `select distinct id from releases
     where kind = 'journey' and ${IS_MOVE} and recorded_by > ?`,
  )
  const isRedefined = isNew || promoted.some(({ id }) => compiled.journeys.includes(id as string))
  return { compiled, before, isRedefined }
}

/** Compares profile by profile, and keeps only changes. */
class Comparison implements CohortReport {
  readonly runs: CohortRun[]
  readonly changes: CohortChange[] = []
  readonly members: TableChange<'cohort_member'> = {
    inserts: new Rows('cohort_member', new Texts()),
    supersedes: new Supersedes(),
  }
  readonly #evaluations: readonly Evaluation[]
  readonly #at: number

  constructor(evaluations: readonly Evaluation[], at: number) {
    this.#evaluations = evaluations
    this.#at = at
    this.runs = evaluations.map(({ compiled: { id, version } }) => {
      return { cohort: id, version, evaluatedAt: at, members: 0, entered: 0, left: 0 }
    })
  }

  add(profile: CohortProfile): void {
    this.#evaluations.forEach((evaluation, i) => {
      const run = this.runs[i] as CohortRun
      const { id, version } = evaluation.compiled
      const is = isIn(evaluation.compiled, profile, this.#at)
      if (is) run.members += 1
      if (is === profile.memberOf.has(id)) return
      const reason = this.#reason(evaluation, profile, is)
      const change = is ? 'entered' : 'left'
      run[change] += 1
      const evaluatedAt = this.#at
      this.changes.push({ cohort: id, version, profileId: profile.id, change, reason, evaluatedAt })
      const key = `${id} ${profile.id}`
      if (is) this.#enter(key, id, profile.id)
      else this.members.supersedes.addText(key, SUPERSEDED_BY[reason])
    })
  }

  #enter(key: string, cohort: string, profileId: string): void {
    const { keys, columns, texts } = this.members.inserts
    keys.push(key)
    columns.cohort.push(texts.code(cohort))
    columns.profile_id.push(texts.code(profileId))
    columns.entered_at.push(this.#at)
  }

  #reason({ compiled, before, isRedefined }: Evaluation, profile: CohortProfile, is: boolean) {
    const reason: ChangeReason =
      before === null
        ? 'first_run'
        : isRedefined
          ? 'redefined'
          : isIn(compiled, profile, before.evaluatedAt) !== is
            ? 'moved_on'
            : profile.touchedAt > before.recordedAt
              ? 'identity'
              : 'corrected'
    return reason
  }
}

async function commit(
  warehouse: Warehouse,
  head: Head,
  { runs, changes, members }: Comparison,
  releases: Release[],
): Promise<void> {
  const builder = new CommitBuilder()
  builder.releases(releases.map((one) => ({ ...one, ...ON_RECORD })))
  builder.cohorts(runs, changes)
  builder.change('cohort_member', members)
  const next = {
    batch: head.batch + 1,
    recordedAt: Math.max(now(), head.recordedAt + 1),
    watermark: head.watermark,
  }
  const note = { origin: COHORT_ORIGIN, read: 0, duplicates: 0, rejected: 0 }
  await warehouse.commit(builder.build(next, note))
}
