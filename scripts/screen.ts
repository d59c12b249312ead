/**
 * The screen at the end of `npm start`: what came in, where customers go, who goes in circles, one
 * story, and what to try next. It asks only the public views, and works for any definitions; a
 * part that has nothing to say is left out.
 */

import pc from 'picocolors'
import { formatInstant } from '../pipeline/clock.ts'
import type { Journey } from '../pipeline/journey.ts'
import type { RunReport } from '../pipeline/run.ts'
import type { Row, Warehouse } from '../pipeline/warehouse.ts'

const COLUMNS_MAX = 100
const BAR = 30
const CYCLES_SHOWN = 5
const STORY_LINES = 10

type Paint = ReturnType<typeof pc.createColors>

export async function screen(
  warehouse: Warehouse,
  run: RunReport,
  journeys: Journey[],
  look: { isColoured: boolean; columns: number | undefined },
): Promise<string> {
  const paint = pc.createColors(look.isColoured)
  const width = Math.min(COLUMNS_MAX, look.columns ?? COLUMNS_MAX)
  const parts = [
    readPart(run),
    await funnelPart(warehouse, journeys, paint),
    await cyclesPart(warehouse),
    await standingPart(warehouse),
    await storyPart(warehouse),
    nextPart(run),
  ]
  const lines = parts
    .filter((part) => part.lines.length > 0)
    .flatMap(({ title, lines: body }) => [
      paint.bold(title),
      ...body.map((line) =>
        line.length > width - 2 ? `  ${line.slice(0, width - 3)}…` : `  ${line}`,
      ),
      '',
    ])
  return `${lines.join('\n')}`
}

type Part = { title: string; lines: string[] }

const grouped = (count: unknown): string => Number(count).toLocaleString('en-US')

function readPart(run: RunReport): Part {
  const seconds = run.elapsedMs / 1_000
  const rate = grouped(Math.round(run.read / Math.max(seconds, 0.001)))
  const lines = [
    `${grouped(run.read)} lines read in ${seconds.toFixed(1)} s ` +
      `(${rate}/s, batches: ${run.batches})`,
    `${grouped(run.landed)} events landed, ${grouped(run.duplicates)} duplicates dropped, ` +
      `${grouped(run.refused)} refused`,
  ]
  const reasons = [...run.reasons].sort((a, b) => b[1] - a[1])
  if (reasons.length > 0) {
    lines.push('refused: ' + reasons.map(([reason, n]) => `${reason} ${grouped(n)}`).join(', '))
  }
  return { title: `Events → ${run.warehouseUrl}`, lines }
}

/** Instances that reached each step after the step before it. */
async function funnelPart(warehouse: Warehouse, journeys: Journey[], paint: Paint): Promise<Part> {
  const journey = journeys.find(({ funnels }) => Object.keys(funnels ?? {}).length > 0)
  const [name, funnel] = Object.entries(journey?.funnels ?? {})[0] ?? []
  if (journey === undefined || funnel === undefined) return { title: '', lines: [] }
  const reached = await reachedSteps(warehouse, journey.id, funnel.steps)
  const first = reached[0] ?? 0
  if (first === 0) return { title: '', lines: [] }
  const label = Math.max(...funnel.steps.map((step) => step.length))
  return {
    title: `Funnel: ${journey.id}, ${name} (by instance, in order)`,
    lines: funnel.steps.map((step, i) => {
      const count = reached[i] ?? 0
      const bar = '█'.repeat(Math.round((BAR * count) / first)).padEnd(BAR, '·')
      const fromStart = `${Math.round((100 * count) / first)} %`
      const before = i === 0 ? 0 : (reached[i - 1] ?? 0)
      const fromBefore =
        i === 0 || before === 0 ? '' : `${Math.round((100 * count) / before)} % of the step before`
      const numbers = `${grouped(count).padStart(9)} ${fromStart.padStart(6)}  ${fromBefore}`
      return `${step.padEnd(label)} ${paint.cyan(bar)}${numbers}`
    }),
  }
}

async function reachedSteps(
  warehouse: Warehouse,
  journey: string,
  steps: string[],
): Promise<number[]> {
  const named = steps.map((step, i) => ({ state: step.split('.').at(-1) ?? step, i }))
  const ctes = named.map(({ i }) => {
    const entered = `select states.instance_id, min(states.entered_at) as reached_at from states`
    const filter = `where states.journey = $1 and states.state = $${i + 2}`
    if (i === 0) return `step0 as (${entered} ${filter} group by states.instance_id)`
    return (
      `step${i} as (${entered} inner join step${i - 1} ` +
      `on step${i - 1}.instance_id = states.instance_id ` +
      `and states.entered_at >= step${i - 1}.reached_at ${filter} group by states.instance_id)`
    )
  })
  const counts = named.map(({ i }) => `(select count(*) from step${i}) as reached${i}`)
  const sql = `with ${ctes.join(', ')} select ${counts.join(', ')}`
  const [row] = await warehouse.query(sql, [journey, ...named.map(({ state }) => state)])
  return named.map(({ i }) => Number(row?.[`reached${i}`] ?? 0))
}

async function cyclesPart(warehouse: Warehouse): Promise<Part> {
  const rows = await warehouse.query(
    `select journey, path, count(*) as times, count(distinct profile_id) as people,
       median(duration_ms) as typical_ms
     from cycles group by journey, path order by times desc, path limit ${CYCLES_SHOWN}`,
  )
  return {
    title: 'Commonest cycles',
    lines: rows.map((row) => {
      const people = `${grouped(row['people'])} people`
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
    const place = row['track'] === 'main' ? row['journey'] : `${row['journey']}.${row['track']}`
    const list = byTrack.get(String(place)) ?? []
    list.push(`${row['state']} ${grouped(row['standing'])}`)
    byTrack.set(String(place), list)
  }
  const label = Math.max(0, ...[...byTrack.keys()].map((place) => place.length))
  return {
    title: 'Where everybody stands',
    lines: [...byTrack].map(([place, states]) => `${place.padEnd(label)}  ${states.join(', ')}`),
  }
}

/** Somebody on several devices who went in a circle, if there is anybody. */
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
       from sessions where profile_id = $1
       union all
       select occurred_at, 1, seq, event_name, source, null, journey, from_state, to_state, cause
       from transitions where profile_id = $1 and cause <> 'start'
     ) order by happened_at, rank, journey, seq limit ${STORY_LINES}`,
    [profile],
  )
  const title = `One story: ${profile} (${person['devices']} streams, ${person['visits']} sessions)`
  return { title, lines: steps.map(storyLine) }
}

function storyLine(row: Row): string {
  const at = formatInstant(row['happened_at'] as number)
    .slice(0, 19)
    .replace('T', ' ')
  if (row['rank'] === 0)
    return `${at}  on ${row['who']} (${row['source']}), ${row['events']} events`
  const by = row['cause'] === 'timeout' ? 'nothing happened' : row['who']
  return `${at}    ${row['journey']}: ${row['from_state']} → ${row['to_state']}  (${by})`
}

function nextPart(run: RunReport): Part {
  const lines = [
    'npm start -- events.ndjson               your own events: NDJSON, native or Segment form',
    'npm start -- --watermark now             decide every timeout that is due by now',
  ]
  if (run.refused > 0)
    lines.push('npm run dead-letters -- list             what was refused, and why')
  return { title: 'Next', lines }
}

function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`
}
