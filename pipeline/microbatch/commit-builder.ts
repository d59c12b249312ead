/**
 * Builds a commit, one atomic write, as Arrow tables.
 */

import { imageTable } from '../warehouse/image-tables.ts'
import { arrowTable, uuidsFromText } from '../warehouse/arrow/arrow.ts'
import { SharedTexts, type ColumnData } from '../warehouse/arrow/pack.ts'
import { CONTEXT, IDENTIFIERS, PROPERTIES } from '../decode/content-builder.ts'
import type { EventBatch } from '../decode/event-batch.ts'
import type { CohortChange, CohortRun } from '../warehouse/cohort-change.ts'
import type { CompiledFunnel } from '../definition/compile-funnel.ts'
import type { Release } from '../definition/load.ts'
import type { FinalState } from '../definition/outcome.ts'
import type { OutboxRow } from './outbox.ts'
import { hashes64 } from '../base/hash.ts'
import {
  columnsOf,
  pickCodes,
  pickContent,
  pickHashes,
  pickNumbers,
  pickRare,
  pickTexts,
  sharedTexts,
  supersedeRows,
} from './commit-columns.ts'
import { deadLetterIdOf, type Landing } from './deduplicate.ts'
import type { ReleaseEntry } from '../warehouse/release-log.ts'
import type { TableChange } from './rows/changelog.ts'
import type { TableName, VersionedName } from '../warehouse/tables.ts'
import type { AllImages } from './image-cache.ts'
import type { HistorySegments } from './micro-batch.ts'
import {
  IMAGE_KINDS,
  type Commit,
  type Head,
  type LandedKey,
  type RowCounts,
} from '../warehouse/warehouse.ts'

/** Values of the `batches` row that the commit does not count itself. */
export type BatchNote = { origin: string; read: number; duplicates: number; rejected: number }

/** Collects a commit table by table. */
export class CommitBuilder {
  #inserts: Commit['inserts'] = new Map()
  #supersedes: Commit['supersedes'] = new Map()
  #images: Commit['images'] = new Map()
  #changes: TableChange[] = []
  #inserted = 0
  #superseded = 0
  #landed = 0
  #effects = 0

  #insert(table: TableName, count: number, columns: { [column: string]: ColumnData }): void {
    if (count > 0) this.#inserts.set(table, arrowTable(table, columns, count))
  }

  events(batch: EventBatch, landing: Landing): void {
    const { rows } = landing
    this.#landed += rows.length
    const content = SharedTexts.of(batch.content)
    this.#insert('events', rows.length, {
      event_id: pickTexts(batch.eventIdText, rows),
      name: pickCodes(batch.name, rows),
      occurred_at: pickNumbers(batch.occurredAt, rows),
      ordinal: pickNumbers(batch.ordinal, rows),
      received_at: pickNumbers(batch.receivedAt, rows),
      source: pickCodes(batch.source, rows),
      identifiers: pickContent(content, rows, IDENTIFIERS),
      properties: pickContent(content, rows, PROPERTIES),
      context: pickContent(content, rows, CONTEXT),
      alias: pickRare(batch.aliasJson, rows),
      unlink: pickRare(batch.unlinkJson, rows),
      event_hash: pickHashes(batch.eventHash, rows),
      fingerprint: pickHashes(batch.fingerprint, rows),
    })
  }

  /** Adds refused lines that are not stored yet. */
  deadLetters(
    batch: EventBatch,
    landing: Landing,
    onRecord: Set<string>,
    origin: string,
    receivedAt: number,
  ): void {
    const letters = new Map(
      landing.refusals.map((refusal) => [deadLetterIdOf(batch, refusal), refusal]),
    )
    for (const id of onRecord) letters.delete(id)
    const refusals = [...letters.values()]
    this.#insert('dead_letters', letters.size, {
      dead_letter_id: uuidsFromText([...letters.keys()]),
      raw: refusals.map(({ from, to }) => batch.raw.subarray(from, to)),
      reason: refusals.map(({ reason }) => reason),
      detail: refusals.map(({ detail }) => detail),
      received_at: refusals.map(() => receivedAt),
      origin: refusals.map(() => origin),
    })
  }

  /** Marks dead letters as resolved: they were replayed and not refused for the same reason. */
  resolutions(ids: readonly string[]): void {
    this.#insert('dead_letter_resolution', ids.length, { dead_letter_id: uuidsFromText(ids) })
  }

  releases(entries: readonly ReleaseEntry[]): void {
    this.#insert('releases', entries.length, {
      kind: entries.map(({ kind }) => kind),
      id: entries.map(({ id }) => id),
      version: entries.map(({ version }) => version),
      action: entries.map(({ action }) => action),
      hash: entries.map(({ hash }) => hash),
      content: entries.map(({ content }) => content),
      reason: entries.map(({ reason }) => reason),
      released_by: entries.map(({ by }) => by),
    })
  }

  /** Adds the steps of funnels that are registered with this commit. */
  funnels(releases: readonly Release[], funnels: readonly CompiledFunnel[]): void {
    const steps = funnels
      .filter((funnel) => releases.some((release) => isOf(release, funnel)))
      .flatMap((funnel) => funnel.steps.map((step, i) => ({ funnel, number: i + 1, ...step })))
    this.#insert('funnel_definitions', steps.length, {
      funnel: steps.map(({ funnel }) => funnel.id),
      journey: steps.map(({ funnel }) => funnel.journey),
      version: steps.map(({ funnel }) => funnel.version),
      step_no: steps.map(({ number }) => number),
      step: steps.map(({ funnel, name }) => (funnel.order === 'any' ? null : name)),
      is_optional: steps.map(({ isOptional }) => isOptional),
      count_by: steps.map(({ funnel }) => funnel.countBy),
      within_ms: steps.map(({ funnel: { windowUs } }) =>
        windowUs === Infinity ? null : Math.ceil(windowUs / 1_000),
      ),
      options: steps.map(({ funnel }) => funnel.options),
    })
  }

  /** Adds outcomes of final states that are declared with this commit. */
  outcomes(states: readonly FinalState[]): void {
    this.#insert('outcomes', states.length, {
      journey: states.map(({ journey }) => journey),
      version: states.map(({ version }) => version),
      track: states.map(({ track }) => track),
      state: states.map(({ state }) => state),
      outcome: states.map(({ outcome }) => outcome),
    })
  }

  /** Adds runs of cohorts, and the profiles that entered and left. */
  cohorts(runs: readonly CohortRun[], changes: readonly CohortChange[]): void {
    this.#insert('cohort_runs', runs.length, {
      cohort: runs.map(({ cohort }) => cohort),
      version: runs.map(({ version }) => version),
      evaluated_at: runs.map(({ evaluatedAt }) => evaluatedAt),
      member_count: runs.map(({ members }) => members),
      entered_count: runs.map(({ entered }) => entered),
      left_count: runs.map(({ left }) => left),
    })
    this.#insert('cohort_changes', changes.length, {
      cohort: changes.map(({ cohort }) => cohort),
      version: changes.map(({ version }) => version),
      profile_id: changes.map(({ profileId }) => profileId),
      change: changes.map(({ change }) => change),
      reason: changes.map(({ reason }) => reason),
      evaluated_at: changes.map(({ evaluatedAt }) => evaluatedAt),
    })
  }

  /** Adds the changes of a table, which must not be changed afterwards. */
  change(table: VersionedName, change: TableChange): void {
    this.#inserted += change.inserts.count
    this.#superseded += change.supersedes.count
    this.#changes.push(change)
    if (change.supersedes.count > 0) this.#supersedes.set(table, supersedeRows(change.supersedes))
  }

  /** Inserts the rows of all changes. Those of one batch share a dictionary. */
  #insertRows(): void {
    const all = this.#changes.map(({ inserts }) => inserts)
    for (const texts of new Set(all.map((rows) => rows.texts))) {
      const sharing = all.filter((rows) => rows.texts === texts)
      const shared = sharedTexts(texts, sharing)
      for (const rows of sharing) this.#insert(rows.table, rows.count, columnsOf(rows, shared))
    }
    this.#changes = []
  }

  /** Counts rows that are written with this commit by others. */
  taken({ inserted, superseded, effects = 0 }: RowCounts & { effects?: number }): void {
    this.#inserted += inserted
    this.#superseded += superseded
    this.#effects += effects
  }

  /** Rows of all parts so far. */
  get counts(): RowCounts & { effects: number } {
    return { inserted: this.#inserted, superseded: this.#superseded, effects: this.#effects }
  }

  effects(rows: readonly OutboxRow[]): void {
    const before = this.#effects
    this.#effects += rows.length
    this.#insert('effects', rows.length, {
      effect_id: uuidsFromText(rows.map(({ effect }) => effect.id)),
      kind: rows.map(({ kind }) => kind),
      status: rows.map(({ status }) => status),
      type: rows.map(({ effect }) => effect.type),
      payload: rows.map(({ effect }) => effect.payload),
      transition_id: uuidsFromText(rows.map(({ effect }) => effect.transition)),
      journey: rows.map(({ effect }) => effect.machine.id),
      version: rows.map(({ effect }) => effect.machine.version),
      instance_id: rows.map(({ effect }) => effect.instanceId),
      profile_id: rows.map(({ effect }) => effect.profileId),
      occurred_at: rows.map(({ effect }) => effect.occurredAt),
      effect_no: rows.map((_, i) => before + i + 1),
    })
  }

  /** Marks landed messages as applied by this batch. */
  applied(messages: readonly LandedKey[]): void {
    this.#insert('applied_messages', messages.length, {
      subscription_name: messages.map((message) => message.subscription_name),
      message_id: messages.map((message) => message.message_id),
      publish_time: messages.map((message) => message.publish_time),
    })
  }

  /** Adds history segments, one per stream. */
  history({ streams, segments }: HistorySegments): void {
    const columns = { k: hashes64(streams), stream: streams, segment: segments }
    this.#insert('history', streams.length, columns)
  }

  timers(timers: { dueAt: number[]; profileId: string[] }): void {
    this.#insert('timer', timers.dueAt.length, {
      due_at: timers.dueAt,
      profile_id: timers.profileId,
    })
  }

  images(images: AllImages): void {
    for (const kind of IMAGE_KINDS) {
      const { keys, texts } = images[kind].changed()
      if (keys.length === 0) continue
      const columns = { k: hashes64(keys), key: keys, image: texts }
      this.#images.set(kind, arrowTable(imageTable(kind), columns, keys.length))
    }
  }

  /** Returns the tables so far as a part of a commit, without the `batches` row, and begins the next
   * part. */
  part({ batch, recordedAt }: Pick<Head, 'batch' | 'recordedAt'>): Commit {
    this.#insertRows()
    const part = {
      batch,
      recordedAt,
      inserts: this.#inserts,
      supersedes: this.#supersedes,
      images: this.#images,
    }
    this.#inserts = new Map()
    this.#supersedes = new Map()
    this.#images = new Map()
    return part
  }

  build(
    head: { batch: number; recordedAt: number; watermark: number | null },
    note: BatchNote,
  ): Commit {
    this.#insert('batches', 1, {
      batch: [head.batch],
      watermark: [head.watermark],
      origin: [note.origin],
      read_count: [note.read],
      landed_count: [this.#landed],
      duplicate_count: [note.duplicates],
      rejected_count: [note.rejected],
      inserted_count: [this.#inserted],
      superseded_count: [this.#superseded],
      effect_count: [this.#effects],
    })
    return this.part(head)
  }
}

/** Returns whether a funnel is released with a release. A journey's funnels are released with it. */
function isOf({ kind, id, version }: Release, funnel: CompiledFunnel): boolean {
  const owner = funnel.journey === null ? 'funnel' : 'journey'
  return kind === owner && id === (funnel.journey ?? funnel.id) && version === funnel.version
}
