/** Detours of a track: what runs do after a drop-off, and which states are entered again. */

import { DROP_OFFS_MAX } from '../bounds.ts'
import type { DropOffPart, ReworkPart, TrackPart } from '../document.ts'
import { commonest, grouped, leftOut, number, numberOrNull, text, type Ask } from '../read.ts'

type Detours = Pick<TrackPart, 'dropOffs' | 'dropOffsLeftOut' | 'rework'>

const DROP_OFFS = commonest(
  'next_after_drop_off',
  'drop_off_count',
  'drop_off_count desc, drop_off, from_state, to_state, next_state, next_cause, next_event',
  DROP_OFFS_MAX,
)

const REWORK = `
  select track, state, entry_count, self_loop_count, repeat_count, instance_count,
    reworked_instance_count, rework_rate
  from rework where journey = ? and self_loop_count + repeat_count > 0
  order by track, self_loop_count + repeat_count desc, state`

export async function collectDetours(ask: Ask): Promise<(track: string) => Detours> {
  const dropOffs = grouped(await ask(DROP_OFFS), 'track')
  const rework = grouped(await ask(REWORK), 'track')
  return (track) => {
    const rows = dropOffs.get(track) ?? []
    return {
      dropOffs: rows.map(dropOffOf),
      dropOffsLeftOut: leftOut(rows),
      rework: (rework.get(track) ?? []).map(reworkOf),
    }
  }
}

type Row = { [column: string]: unknown }

const textOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : text(value)

const dropOffOf = (row: Row): DropOffPart => ({
  kind: text(row['drop_off']) as DropOffPart['kind'],
  from: text(row['from_state']),
  to: text(row['to_state']),
  nextCause: textOrNull(row['next_cause']),
  nextEvent: textOrNull(row['next_event']),
  nextState: textOrNull(row['next_state']),
  count: number(row['drop_off_count']),
  share: number(row['share']),
  medianMs: numberOrNull(row['median_next_after_ms']),
})

const reworkOf = (row: Row): ReworkPart => ({
  state: text(row['state']),
  entries: number(row['entry_count']),
  selfLoops: number(row['self_loop_count']),
  repeats: number(row['repeat_count']),
  instances: number(row['instance_count']),
  reworked: number(row['reworked_instance_count']),
  rate: number(row['rework_rate']),
})
