/** Dumps of public views, and a harness that feeds a warehouse. */

import { bulkLoad, type BulkLoad, type LoadLimits } from '../../pipeline/bulk/bulk-load.ts'
import { Pipeline } from '../../pipeline/microbatch/pipeline.ts'
import { believed } from '../../pipeline/query/as-of.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import type { Definitions } from '../../pipeline/definition/load.ts'
import { openLocalState } from '../../pipeline/state/local-state.ts'
import type { StateStore } from '../../pipeline/state/state-store.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { emptyWarehouse } from './reused-warehouse.ts'
import { attemptName } from '../reference/funnel.ts'
import {
  VIEWS,
  type AcceptedEvent,
  type ReferenceTables,
  type Row,
} from '../reference/reference.ts'

/** Sorts rows in an order that does not depend on the engine. */
export function sorted(rows: Row[]): Row[] {
  return rows
    .map((row) => ({ row, key: JSON.stringify(Object.entries(row).sort(), undefined) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => Object.fromEntries(Object.entries(row).sort()) as Row)
}

/** Returns all current views, or those with `suffix` as of an instant, with hashed ids as text. */
export async function dump(
  warehouse: Warehouse,
  asOf: number | null = null,
): Promise<ReferenceTables> {
  const tables: ReferenceTables = {}
  for (const view of VIEWS) {
    const relation = believed(warehouse, view, asOf)
    tables[view] = (await warehouse.query(`select * from ${relation}`)) as Row[]
  }
  const words = new Map<unknown, string>()
  for (const row of tables['transitions'] ?? []) {
    const by = row['cause'] === 'timeout' ? row['occurred_at'] : row['event_id']
    const parts = ['journey', 'version', 'instance_id', 'track', 'cause'].map((name) => row[name])
    words.set(row['transition_id'], [...parts, by].join('|'))
  }
  const put = (view: string, column: string, of = column, end = '') => {
    for (const row of tables[view] ?? []) {
      const word = words.get(row[of])
      if (word !== undefined) row[column] = word + end
    }
  }
  put('cycles', 'cycle_id', 'closed_by', '|cycle')
  put('cycles', 'closed_by')
  put('states', 'state_id')
  put('states', 'exited_by')
  put('transitions', 'transition_id')
  for (const row of tables['funnel_attempts'] ?? []) words.set(row['attempt_id'], attemptName(row))
  put('funnel_attempts', 'attempt_id')
  put('funnel_attempt_steps', 'attempt_id')
  for (const view of VIEWS) tables[view] = sorted(tables[view] ?? [])
  return tables
}

/** Returns the events that have landed, for the reference. */
export async function landed(warehouse: Warehouse): Promise<AcceptedEvent[]> {
  const rows = await warehouse.query('select * from events order by all')
  const json = (text: unknown) => (text === null ? undefined : JSON.parse(text as string))
  return rows.map((row) => {
    const { event_id, name, occurred_at, ordinal, source } = row as AcceptedEvent
    const [alias, unlink] = [json(row['alias']), json(row['unlink'])]
    return {
      event_id,
      name,
      occurred_at,
      ordinal,
      source,
      identifiers: json(row['identifiers']),
      properties: json(row['properties']),
      context: json(row['context']),
      ...(alias === undefined ? {} : { alias }),
      ...(unlink === undefined ? {} : { unlink }),
    }
  })
}

/** Returns an event in the native wire format. */
export function lineOf(event: AcceptedEvent): string {
  return JSON.stringify({ ...event, occurred_at: formatInstant(event.occurred_at) })
}

/** Pipeline over its own warehouse. */
export class Harness {
  readonly definitions: Definitions
  readonly warehouse: Warehouse
  /** Images kept between batches; undefined keeps as many as runs do. */
  readonly #imagesMax: number | undefined
  /** Folder of a local state store; undefined reads the warehouse. */
  readonly #stateDir: string | undefined
  #state: StateStore | null = null
  #pipeline: Pipeline | null = null
  #clock = 1_800_000_000_000_000

  constructor(
    definitions: Definitions,
    warehouse = emptyWarehouse(),
    imagesMax?: number,
    stateDir?: string,
  ) {
    this.definitions = definitions
    this.warehouse = warehouse
    this.#imagesMax = imagesMax
    this.#stateDir = stateDir
  }

  async pipeline(): Promise<Pipeline> {
    this.#pipeline ??= await this.#open()
    return this.#pipeline
  }

  async #open(): Promise<Pipeline> {
    await this.warehouse.open()
    if (this.#stateDir !== undefined) {
      this.#state = await openLocalState(this.#stateDir, this.warehouse)
    }
    return Pipeline.open(this.warehouse, this.definitions, {
      hashKey: 'test',
      imagesMax: this.#imagesMax,
      ...(this.#state === null ? {} : { state: this.#state }),
    })
  }

  /** Drops everything in memory, as after a crash, or after closing the state store. */
  restart(isClosed = false): void {
    if (isClosed) this.#state?.close()
    this.#state = null
    this.#pipeline = null
  }

  async feed(lines: string[], watermark: number | null = null) {
    const { outcome, committed } = await this.begin(lines, watermark)
    await committed
    return outcome
  }

  /** Processes lines up to the commit, which is then in flight. */
  async begin(lines: string[], watermark: number | null = null) {
    const pipeline = await this.pipeline()
    const batch = this.#decoded(pipeline, lines)
    return pipeline.begin(batch, { origin: 'test', receivedAt: this.#clock, watermark })
  }

  /** Loads chunks of lines as one commit. */
  async load(
    chunks: string[][],
    watermark: number | null,
    limits: LoadLimits & Pick<BulkLoad, 'onPart'> = {},
  ) {
    const pipeline = await this.pipeline()
    this.#clock += 1_000_000
    return pipeline.load(this.#clock, (start) =>
      bulkLoad(this.#chunks(pipeline, chunks), {
        ...limits,
        start,
        origin: 'test',
        watermark: () => watermark,
      }),
    )
  }

  async *#chunks(pipeline: Pipeline, chunks: string[][]) {
    for (const lines of chunks) {
      yield { batch: this.#decoded(pipeline, lines), origin: 'test', receivedAt: this.#clock }
    }
  }

  #decoded({ compiled }: Pipeline, lines: string[]) {
    const decoder = new ChunkDecoder({
      identity: this.definitions.identity,
      operandPaths: compiled.operandPaths,
      format: undefined,
      events: { events: {} },
      hashKey: 'test',
    })
    this.#clock += 1_000_000
    return decoder.decode(new TextEncoder().encode(lines.join('\n')), this.#clock)
  }
}
