/**
 * Ad-hoc funnel: counts a funnel over the stored events without releasing it. Folds profile by
 * profile in event order, with the stage that derives the tables, into a scratch warehouse. Its
 * views then count the funnel as they count released ones.
 *
 * Memory is bounded by the largest profile and one flush.
 */

import { Supersedes } from '../microbatch/rows/changelog.ts'
import { CommitBuilder } from '../microbatch/commit-builder.ts'
import { compile, type Compiled } from '../definition/compile.ts'
import { namesOfFunnels } from '../definition/compile-funnel.ts'
import type { Definitions } from '../definition/load.ts'
import { Texts } from '../base/texts.ts'
import { Events } from '../stages/events.ts'
import type { EventFunnel } from '../definition/funnel.ts'
import { type Json, valueAt } from '../base/json.ts'
import { firstEntries } from '../warehouse/release-log.ts'
import { Ints } from '../stages/growable-array.ts'
import { freshFoldState, ProfileFold } from '../microbatch/profile-fold.ts'
import { marksOf } from '../warehouse/parameters.ts'
import type { Row, Warehouse } from '../warehouse/warehouse.ts'

/** Events folded before their attempts are written. Profiles are never split. */
const EVENTS_MAX = 20_000

export type FunnelAnswer = {
  /** Row of `funnel_conversion`. */
  conversion: Row
  /** Rows of `funnel_steps`. */
  steps: Row[]
  /** Rows of `funnel_by_source` by entry, where `source` is the value grouped by; else empty. */
  groups: Row[]
}

/**
 * Counts a funnel. `definitions` has this funnel and no journey. `by` is `source`, or a path into
 * the entering event such as `properties.plan`. `scratch` is an empty warehouse. Both warehouses
 * are open.
 */
export async function askFunnel(parts: {
  warehouse: Warehouse
  watermark: number | null
  scratch: Warehouse
  definitions: Definitions
  by: string | null
  /** Counts only members of this cohort as of its last run; null counts everyone. */
  cohort: string | null
}): Promise<FunnelAnswer> {
  const { scratch, by } = parts
  const asking = new Asking(parts)
  await asking.run()
  const steps = await scratch.query('select * from funnel_steps order by step_no')
  const [conversion = {}] = await scratch.query('select * from funnel_conversion')
  if (by === null) return { conversion, steps, groups: [] }
  const groups = await scratch.query(
    `select source, entered, converted, dropped, pending, rate_of_all, matured_count,
       matured_converted_count, matured_rate, matured_rate_low, matured_rate_high
     from funnel_by_source where touch = 'entry' order by entered desc, source nulls last`,
  )
  return { conversion, steps, groups }
}

class Asking {
  readonly #parts: Parameters<typeof askFunnel>[0]
  readonly #compiled: Compiled
  readonly #funnel: EventFunnel
  /** Index of the grouping value among the operands; -1 groups by the stored source. */
  readonly #byPath: number
  readonly #paths: string[]
  #events: Events
  /** Codes of the sessions by row. */
  #sessions = new Ints()
  #profile: string | null = null
  /** First row of the current profile. */
  #from = 0
  #folding: ProfileFold
  #batch = 0

  constructor(parts: Parameters<typeof askFunnel>[0]) {
    const { definitions, by } = parts
    this.#parts = parts
    this.#compiled = compile(definitions)
    this.#funnel = definitions.funnels[0] as EventFunnel
    this.#paths = [...this.#compiled.operandPaths]
    const isPath = by !== null && by !== 'source'
    if (isPath && !this.#paths.includes(by)) this.#paths.push(by)
    this.#byPath = isPath ? this.#paths.indexOf(by) : -1
    this.#events = this.#noEvents()
    this.#folding = this.#begin()
  }

  async run(): Promise<void> {
    const { warehouse } = this.#parts
    const names = [...new Set(namesOfFunnels([this.#funnel]))]
    const { cohort } = this.#parts
    const conditions: string[] = []
    const parameters: string[] = []
    if (!this.#compiled.needsEveryEvent) {
      conditions.push(`events.name in (${marksOf(names)})`)
      parameters.push(...names)
    }
    if (cohort !== null) {
      parameters.push(cohort)
      const members = 'select profile_id from cohort_members where cohort = ?'
      conditions.push(`event_profiles.profile_id in (${members})`)
    }
    const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
    const objects = this.#paths.length === 0 ? '' : ', properties, context'
    const rows = warehouse.stream(
      `select profile_id, session_id, events.event_id, name, occurred_at, ordinal, source${objects}
       from events inner join event_profiles on event_profiles.event_id = events.event_id ${where}
       order by profile_id, occurred_at, ordinal, events.event_id`,
      parameters,
    )
    for await (const chunk of rows) for (const row of chunk) await this.#add(row)
    this.#fold()
    await this.#flush()
  }

  async #add(row: Row): Promise<void> {
    if (row['profile_id'] !== this.#profile) {
      this.#fold()
      if (this.#events.count >= EVENTS_MAX) await this.#flush()
      this.#profile = row['profile_id'] as string
    }
    const events = this.#events
    events.add({
      eventId: row['event_id'] as string,
      name: row['name'] as string,
      source: row['source'] as string,
      occurredAt: row['occurred_at'] as number,
      ordinal: row['ordinal'] as number,
      operands: this.#operandsOf(row),
    })
    this.#sessions.push(events.texts.code(row['session_id'] as string))
  }

  #operandsOf(row: Row): (Json | undefined)[] {
    if (this.#paths.length === 0) return []
    const event = {
      name: row['name'] as string,
      source: row['source'] as string,
      properties: JSON.parse(row['properties'] as string) as Json,
      context: JSON.parse(row['context'] as string) as Json,
    }
    return this.#paths.map((path) => valueAt(event, path))
  }

  #noEvents(): Events {
    const { eventCodes } = this.#compiled
    const operands = this.#paths.length
    return new Events({ texts: new Texts(), eventCodes, namespaces: 0, operands })
  }

  /** Starts a fold over events that are added later. */
  #begin(): ProfileFold {
    this.#events = this.#noEvents()
    this.#sessions = new Ints()
    this.#from = 0
    return new ProfileFold(this.#compiled, this.#events, this.#sessions)
  }

  /** Folds the events of the current profile. */
  #fold(): void {
    if (this.#profile === null) return
    const { count } = this.#events
    const rows = Array.from({ length: count - this.#from }, (_, i) => this.#from + i)
    this.#from = count
    const foldState = freshFoldState(this.#compiled)
    this.#folding.run(this.#profile, foldState, rows, this.#parts.watermark)
  }

  /** Replaces the source of each attempt by the grouping value. */
  #nameBy(): void {
    const { count, operands } = this.#events
    const rowOf = new Map<string, number>()
    for (let row = 0; row < count; row++) rowOf.set(this.#events.eventIdOf(row), row)
    for (const attempt of this.#folding.attempts) {
      const value = operands[this.#byPath]?.[rowOf.get(attempt.eventId ?? '') ?? -1]
      attempt.source =
        value === undefined || typeof value === 'string' ? (value ?? null) : JSON.stringify(value)
    }
  }

  async #flush(): Promise<void> {
    const { scratch, definitions, watermark } = this.#parts
    if (this.#byPath >= 0) this.#nameBy()
    const { rows } = this.#folding.rows()
    const builder = new CommitBuilder()
    for (const inserts of rows) {
      builder.change(inserts.table, { inserts, supersedes: new Supersedes() })
    }
    if (this.#batch === 0) {
      const releases = definitions.releases.filter(({ kind }) => kind === 'funnel')
      builder.releases(firstEntries(releases))
      builder.funnels(releases, this.#compiled.funnels)
    }
    this.#batch += 1
    const note = { origin: 'question', read: 0, duplicates: 0, rejected: 0 }
    const head = { batch: this.#batch, recordedAt: this.#batch, watermark }
    await scratch.commit(builder.build(head, note))
    this.#folding = this.#begin()
  }
}
