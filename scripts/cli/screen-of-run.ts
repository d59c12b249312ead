/**
 * Parts of the summary for a run that continued a long history: what its batches changed. They read
 * the rows of these batches only, so they cost the same after ten events and after ten million.
 */

import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { counted } from '../../pipeline/base/text.ts'
import { nextLine } from './next-command.ts'
import { grouped } from './funnel-lines.ts'

/** `isPainted`: values are already escaped. `isWhole`: lines are not cut, because they are commands. */
export type Part = { title: string; lines: string[]; isPainted?: boolean; isWhole?: boolean }

const MOVES_SHOWN = 5
const STORY_LINES = 10
/** Longest history whose funnels and cycles are counted after each run, events. */
const WHOLE_EVENTS_MAX = 20_000
/** The same for a run that has read the whole history itself. */
const OWN_EVENTS_MAX = 1_000_000

/** Returns the batch before the first one of a run, or null if the whole history is counted: it is
 * short, or this run has read it. */
export async function beforeRun(warehouse: Warehouse, batches: number): Promise<number | null> {
  const [sums = {}] = await warehouse.query(
    'select max(batch) as last, sum(landed_count) as events from batches',
  )
  const before = Number(sums['last'] ?? 0) - batches
  const max = before <= 0 ? OWN_EVENTS_MAX : WHOLE_EVENTS_MAX
  return Number(sums['events'] ?? 0) <= max ? null : Math.max(0, before)
}

/** Returns the parts about the batches after `before`. */
export async function runParts(warehouse: Warehouse, before: number): Promise<Part[]> {
  return [
    await changesPart(warehouse, before),
    await movesPart(warehouse, before),
    await changedPersonPart(warehouse, before),
    {
      title: 'Whole history',
      lines: ['draw funnels, cycles and drop-offs of all events:', `  ${nextLine('report')}`],
      isWhole: true,
    },
  ]
}

async function changesPart(warehouse: Warehouse, before: number): Promise<Part> {
  const [sums = {}] = await warehouse.query(
    `select sum(inserted_count) as inserted, sum(superseded_count) as superseded,
       sum(effect_count) as effects from batches where batch > ${before}`,
  )
  const [inserted, superseded, effects] = [sums['inserted'], sums['superseded'], sums['effects']]
  const lines = [
    `${counted(Number(inserted), 'row')} inserted, ${grouped(superseded)} superseded, ` +
      counted(Number(effects), 'effect'),
  ]
  return { title: 'Changes of this run', lines }
}

async function movesPart(warehouse: Warehouse, before: number): Promise<Part> {
  const rows = await warehouse.query(
    `select journey, track, from_state, to_state, count(*) as times,
       count(distinct profile_id) as people
     from transition_now where recorded_by > ${before} and cause <> 'start'
     group by journey, track, from_state, to_state
     order by times desc, journey, track, from_state, to_state limit ${MOVES_SHOWN}`,
  )
  return {
    title: 'Commonest transitions of this run',
    lines: rows.map((row) => {
      const people = counted(Number(row['people']), 'person', 'people')
      const move = `${row['from_state']} → ${row['to_state']}`
      return `${grouped(row['times']).padStart(8)} ×  ${move}  (${placeOf(row)}, ${people})`
    }),
  }
}

/** The person with most transitions in this run. */
async function changedPersonPart(warehouse: Warehouse, before: number): Promise<Part> {
  const ofRun = `from transition_now where recorded_by > ${before} and cause <> 'start'`
  const rows = await warehouse.query(
    `select profile_id, journey, track, from_state, to_state, cause, event_name, occurred_at ${ofRun}
       and profile_id = (select profile_id ${ofRun}
         group by profile_id order by count(*) desc, profile_id limit 1)
     order by occurred_at, journey, track, seq limit ${STORY_LINES}`,
  )
  if (rows[0] === undefined) return { title: '', lines: [] }
  return { title: `One person of this run: ${rows[0]['profile_id']}`, lines: rows.map(moveLine) }
}

function moveLine(row: Row): string {
  const by = row['cause'] === 'timeout' ? 'timeout' : row['event_name']
  const move = `${placeOf(row)}: ${row['from_state']} → ${row['to_state']}`
  return `${formatSeconds(row['occurred_at'] as number)}  ${move}  (${by})`
}

/** Returns the journey and, except for the main one, the track. */
export function placeOf({ journey, track }: Row): string {
  return track === 'main' ? String(journey) : `${journey}.${track}`
}

/** Returns an instant in microseconds as date and time of day, UTC. */
export function formatSeconds(instant: number): string {
  return formatInstant(instant).slice(0, 19).replace('T', ' ')
}
