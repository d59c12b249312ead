/**
 * Summary at the end of `npm start`: counts of the run, the first funnel, the commonest cycles, open
 * stays, one person's events, and next commands. After a run that continued a long history it
 * reports the changes of the run instead (`screen-of-run.ts`). It works for any definitions. Empty
 * parts are left out.
 */

import pc from 'picocolors'
import type { Journey } from '../../pipeline/definition/journey.ts'
import type { RunReport } from '../../pipeline/run.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { counted, printable } from '../../pipeline/base/text.ts'
import { SAMPLE_WAREHOUSE } from './default-warehouse.ts'
import { nextLine } from './next-command.ts'
import { duration, funnelLines, grouped, type Paint } from './funnel-lines.ts'
import { beforeRun, formatSeconds, placeOf, runParts, type Part } from './screen-of-run.ts'

const COLUMNS_MAX = 100
const CYCLES_SHOWN = 5
const STORY_LINES = 10

export async function screen(
  warehouse: Warehouse,
  run: RunReport,
  journeys: Journey[],
  look: { isColoured: boolean; columns: number | undefined },
): Promise<string> {
  const paint = pc.createColors(look.isColoured)
  const width = Math.min(COLUMNS_MAX, look.columns || COLUMNS_MAX)
  const before = await beforeRun(warehouse, run.batches)
  const whole = async () => [
    await funnelPart(warehouse, journeys, paint),
    await cyclesPart(warehouse),
    await standingPart(warehouse),
    await storyPart(warehouse),
  ]
  const found = await (before === null ? whole() : runParts(warehouse, before))
  const parts = [readPart(run), ...found, nextPart(run)]
  const lines = parts
    .filter((part) => part.lines.length > 0)
    .flatMap(({ title, lines: body, isPainted, isWhole }) => [
      paint.bold(printable(title)),
      ...(isPainted === true ? body : body.map(printable)).map((line) =>
        isWhole !== true && line.length > width - 2
          ? `  ${line.slice(0, width - 3)}…`
          : `  ${line}`,
      ),
      '',
    ])
  return `${lines.join('\n')}`
}

function readPart(run: RunReport): Part {
  const seconds = run.elapsedMs / 1_000
  const rate = grouped(Math.round(run.read / Math.max(seconds, 0.001)))
  const lines = [
    `${counted(run.read, 'line')} read in ${seconds.toFixed(1)} s ` +
      `(${rate}/s, batches: ${run.batches})`,
    `${counted(run.landed, 'event')} landed, ${counted(run.duplicates, 'duplicate')} dropped, ` +
      `${grouped(run.refused)} refused`,
  ]
  if (run.erased > 0) lines.push(`${counted(run.erased, 'event')} of erased people dropped`)
  const reasons = [...run.reasons].sort((a, b) => b[1] - a[1])
  if (reasons.length > 0) {
    lines.push('refused: ' + reasons.map(([reason, n]) => `${reason} ${grouped(n)}`).join(', '))
  }
  return { title: `Events → ${run.warehouseUrl}`, lines }
}

/** The first funnel of the first journey that has one. */
async function funnelPart(warehouse: Warehouse, journeys: Journey[], paint: Paint): Promise<Part> {
  const journey = journeys.find(({ funnels }) => Object.keys(funnels ?? {}).length > 0)
  const [name] = Object.keys(journey?.funnels ?? {})
  if (journey === undefined || name === undefined) return { title: '', lines: [] }
  const steps = await warehouse.query(
    'select * from funnel_steps where journey = ? and funnel = ? order by step_no',
    [journey.id, name],
  )
  if (Number(steps[0]?.['reached'] ?? 0) === 0) return { title: '', lines: [] }
  const [conversion = {}] = await warehouse.query(
    'select * from funnel_conversion where journey = ? and funnel = ?',
    [journey.id, name],
  )
  const lines = funnelLines(steps, conversion, paint)
  return { title: `Funnel: ${journey.id}, ${name}`, lines, isPainted: true }
}

async function cyclesPart(warehouse: Warehouse): Promise<Part> {
  const rows = await warehouse.query(
    `select journey, path, count(*) as times, count(distinct profile_id) as people,
       min(if(2 * place >= of_path, duration_ms, null)) as typical_ms
     from (
       select journey, path, profile_id, duration_ms,
         row_number() over (partition by journey, path order by duration_ms) as place,
         count(*) over (partition by journey, path) as of_path
       from cycles
     ) as ranked
     group by journey, path order by times desc, path limit ${CYCLES_SHOWN}`,
  )
  return {
    title: 'Commonest cycles',
    lines: rows.map((row) => {
      const people = counted(Number(row['people']), 'person', 'people')
      const typical = duration(Number(row['typical_ms']))
      const count = `${grouped(row['times']).padStart(8)} ×`
      return `${count}  ${row['path']}  (${row['journey']}, ${people}, typically ${typical})`
    }),
  }
}

/** Open stays, one line a journey. */
async function standingPart(warehouse: Warehouse): Promise<Part> {
  const rows = await warehouse.query(
    `select journey, track, state, count(*) as standing from states
     where exited_at is null group by journey, track, state order by journey, track, standing desc`,
  )
  const byTrack = new Map<string, string[]>()
  for (const row of rows) {
    const place = placeOf(row)
    const list = byTrack.get(place) ?? []
    list.push(`${row['state']} ${grouped(row['standing'])}`)
    byTrack.set(place, list)
  }
  const label = Math.max(0, ...[...byTrack.keys()].map((place) => place.length))
  return {
    title: 'Open stays by state',
    lines: [...byTrack].map(([place, states]) => `${place.padEnd(label)}  ${states.join(', ')}`),
  }
}

/** Events of one person, preferably on several devices and with a cycle. */
async function storyPart(warehouse: Warehouse): Promise<Part> {
  const [person] = await warehouse.query(
    `select sessions.profile_id, count(distinct sessions.stream) as devices, count(*) as visits
     from sessions
     left join (select profile_id, count(*) as laps from cycles group by profile_id) as looped
       on looped.profile_id = sessions.profile_id
     group by sessions.profile_id, looped.laps
     order by least(count(distinct sessions.stream), 3) desc,
       coalesce(looped.laps, 0) between 1 and 4 desc,
       abs(count(*) - 4), sessions.profile_id
     limit 1`,
  )
  if (person === undefined) return { title: '', lines: [] }
  const profile = person['profile_id'] as string
  const steps = await warehouse.query(
    `select * from (
       select started_at as happened_at, 0 as rank, 0 as seq, stream as who, source,
         event_count as events, null as journey, null as from_state, null as to_state, null as cause
       from sessions where profile_id = ?
       union all
       select occurred_at, 1, seq, event_name, source, null, journey, from_state, to_state, cause
       from transitions where profile_id = ? and cause <> 'start'
     ) order by happened_at, rank, journey, seq limit ${STORY_LINES}`,
    [profile, profile],
  )
  const title = `One person: ${profile} (${counted(Number(person['devices']), 'stream')}, ${counted(Number(person['visits']), 'session')})`
  return { title, lines: steps.map(storyLine) }
}

function storyLine(row: Row): string {
  const at = formatSeconds(row['happened_at'] as number)
  if (row['rank'] === 0) {
    const events = counted(Number(row['events']), 'event')
    return `${at}  on ${row['who']} (${row['source']}), ${events}`
  }
  const by = row['cause'] === 'timeout' ? 'timeout' : row['who']
  return `${at}    ${row['journey']}: ${row['from_state']} → ${row['to_state']}  (${by})`
}

function nextPart(run: RunReport): Part {
  const steps = [
    [
      lineInPlace(run, 'events.ndjson'),
      'read your own events, NDJSON in the native or Segment format',
    ],
    [nextLine('start', '--watermark', 'now'), 'decide every timeout that is due by now'],
    [nextLine('funnel', '--steps', 'A, B'), 'count how many go from one event to the next'],
  ]
  if (run.refused > 0) steps.push([nextLine('dead-letters', 'list'), 'list refused lines and why'])
  return {
    title: 'Next',
    lines: steps.flatMap(([line = '', why = '']) => [`${why}:`, `  ${line}`]),
    isWhole: true,
  }
}

/** Returns the line that reads your own events, never into the sample. */
function lineInPlace({ warehouseUrl }: RunReport, file: string): string {
  return warehouseUrl === SAMPLE_WAREHOUSE ? `npm start -- ${file}` : nextLine('start', file)
}
