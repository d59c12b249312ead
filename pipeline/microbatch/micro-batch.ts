/**
 * One turn of the pipeline: a batch's events, the history that had to be read for it, and what is
 * found out about each row on the way to the commit.
 *
 * Rows below `newCount` are the batch's; rows above are history, read stream by stream and only
 * for what must be derived again. `before` is what the tables say of a row now, `after` what they
 * will say; both are filled by `streams.ts`.
 */

import type { EventBatch } from '../decode/event-batch.ts'
import type { Compiled } from '../definition/compile.ts'
import { Events, streamOf } from '../stages/events.ts'
import { addSegment, segmentText } from './history-codec.ts'
import type {
  ComponentImage,
  IdentifierImage,
  Images,
  ProfileImage,
  StreamImage,
} from './state-store.ts'
import type { Claim } from '../stages/resolve-identity.ts'
import { Rows, type TableChange } from './changelog.ts'
import type { Session } from '../stages/sessionize.ts'
import { VERSIONED_NAMES, type VersionedName } from '../warehouse/tables.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** What a turn reads back. */
export type Memory = Pick<Warehouse, 'images' | 'segments' | 'due' | 'outbox'>

export type AllImages = {
  stream: Images<StreamImage>
  identifier: Images<IdentifierImage>
  component: Images<ComponentImage>
  profile: Images<ProfileImage>
}

/** Whose an event is, and in which session. */
export type Belonging = { profile: string[]; session: string[] }

/** A stream cut and assigned from the beginning. `profiles[i]` is that of `sessions[i]`. */
export type Placed = { sessions: Session[]; profiles: string[]; claim: Claim }

export class Turn {
  readonly compiled: Compiled
  readonly images: AllImages
  readonly warehouse: Memory
  readonly events: Events
  /** By row: the event's code, -1 when no journey and no funnel names it. */
  readonly codes: number[] = []
  newCount = 0
  readonly before: Belonging = { profile: [], session: [] }
  readonly after: Belonging = { profile: [], session: [] }
  /** New rows by stream, in event order. */
  readonly newRows = new Map<string, number[]>()
  /** History by stream, in event order; only streams that were asked for. */
  readonly oldRows = new Map<string, number[]>()
  /** Streams that were derived from the beginning, as they were and as they will be. */
  readonly placed = new Map<string, { was: Placed; is: Placed }>()
  /** Identifiers whose profile this batch changes. */
  readonly moved = new Map<string, { before: string; after: string }>()
  /** Ids of events on record that are being erased: the tables have them and will not. */
  readonly erased = new Set<string>()
  readonly changes = new Map<VersionedName, TableChange>()
  readonly watermarkBefore: number | null
  readonly watermark: number | null

  constructor(parts: {
    compiled: Compiled
    images: AllImages
    warehouse: Memory
    watermarkBefore: number | null
    watermark: number | null
  }) {
    this.compiled = parts.compiled
    this.images = parts.images
    this.warehouse = parts.warehouse
    this.watermarkBefore = parts.watermarkBefore
    this.watermark = parts.watermark
    this.events = new Events(parts.compiled.namespaces.length, parts.compiled.operandPaths.length)
    for (const table of VERSIONED_NAMES) {
      const supersedes = { keys: [], because: [] }
      this.changes.set(table, { inserts: new Rows(table), supersedes })
    }
  }

  change(table: VersionedName): TableChange {
    return this.changes.get(table) as TableChange
  }

  isNew(row: number): boolean {
    return row < this.newCount
  }

  /** True when some journey knows or counts the event, or some funnel asks for it. */
  isRelevant(row: number): boolean {
    return this.compiled.needsEveryEvent || (this.codes[row] as number) >= 0
  }

  /** All rows of a stream whose history has been read, in event order. */
  rowsOf(stream: string): number[] {
    const rows = [...(this.oldRows.get(stream) ?? []), ...(this.newRows.get(stream) ?? [])]
    return rows.sort(this.events.inOrder)
  }

  /** The same without those that are being erased. */
  remainingOf(stream: string): number[] {
    const rows = this.rowsOf(stream)
    if (this.erased.size === 0) return rows
    return rows.filter((row) => !this.erased.has(this.events.eventId[row] as string))
  }

  /** Takes the batch's events: `rows` are those that landed, in the batch's order. */
  add(batch: EventBatch, rows: readonly number[]): void {
    const { events, compiled } = this
    const nameCodes = batch.name.values.map((name) => compiled.eventCodes.get(name) ?? -1)
    const deviceFrom = compiled.identity.person.length
    for (const from of rows) {
      const row = events.count
      const name = batch.name.codes[from] as number
      events.occurredAt.push(batch.occurredAt[from] as number)
      events.ordinal.push(batch.ordinal[from] as number)
      events.eventId.push(batch.eventId[from] as string)
      events.name.push(batch.name.values[name] as string)
      events.source.push(batch.source.values[batch.source.codes[from] as number] as string)
      for (let n = 0; n < batch.identifiers.length; n++) {
        const column = batch.identifiers[n]
        const code = column?.codes[from] ?? -1
        events.identifiers[n]?.push(code < 0 ? undefined : column?.values[code])
      }
      for (let o = 0; o < events.operands.length; o++) {
        events.operands[o]?.push(batch.operands[o]?.[from])
      }
      this.codes.push(nameCodes[name] as number)
      const stream = streamOf(events.identifiers, row, deviceFrom) as string
      events.stream.push(stream)
      const streamRows = this.newRows.get(stream)
      if (streamRows === undefined) this.newRows.set(stream, [row])
      else streamRows.push(row)
    }
    this.newCount = events.count
    for (const streamRows of this.newRows.values()) streamRows.sort(events.inOrder)
  }

  /** Reads the history of streams that have not been read yet. */
  async loadHistory(streams: Iterable<string>): Promise<void> {
    const missing = [...new Set(streams)].filter((stream) => !this.oldRows.has(stream))
    if (missing.length === 0) return
    const stored = await this.warehouse.segments(missing)
    for (const stream of missing) {
      const rows: number[] = []
      for (const segment of stored.get(stream) ?? []) {
        for (const row of addSegment(this.events, stream, segment)) {
          rows.push(row)
          this.codes.push(this.compiled.eventCodes.get(this.events.name[row] as string) ?? -1)
        }
      }
      this.oldRows.set(stream, rows.sort(this.events.inOrder))
    }
  }

  /** The batch's events of a stream, as history keeps them. */
  segmentOf(stream: string): string {
    return segmentText(this.events, this.newRows.get(stream) ?? [])
  }
}
