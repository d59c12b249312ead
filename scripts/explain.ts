/**
 * `npm run explain -- --user u-123`: the story of a person, event by event, with the reasons. With
 * `--as-of`, as it was believed then, and what has been corrected since.
 *
 * Exit 0: told; 1: failed, or nobody is known by that name; 2: wrong arguments.
 */

import { formatInstant } from '../pipeline/clock.ts'
import { ASKING_MEMORY, instantOf, warehouseOf } from '../pipeline/config.ts'
import { UserError } from '../pipeline/errors.ts'
import { definitionsOnRecord } from '../pipeline/on-record.ts'
import { profileOf } from '../pipeline/story-identifiers.ts'
import { tellStory, type Outcome, type Story } from '../pipeline/story.ts'
import type { Tried } from '../pipeline/telling-fold.ts'
import { main, warehouseCommand } from './command.ts'

type Options = {
  warehouse: string
  user: string
  journey?: string
  asOf?: string
  json?: boolean
}

const program = warehouseCommand('npm run explain', 'Tells the story of a person.')
  .requiredOption('--user <who>', 'a user id, or any namespace:value')
  .option('--journey <id>', 'only this journey')
  .option('--as-of <instant>', 'as it was believed then; RFC 3339, or now')
  .option('--json', 'one JSON object, instants as microseconds')
  .action(explain)

async function explain(options: Options): Promise<void> {
  const asOf = options.asOf === undefined ? null : instantOf('--as-of', options.asOf)
  const warehouse = warehouseOf(options.warehouse, ASKING_MEMORY)
  await warehouse.open()
  try {
    const { identity, journeys } = await definitionsOnRecord(warehouse, asOf)
    const journey = options.journey ?? null
    if (journey !== null && !journeys.some(({ id }) => id === journey)) {
      const known = journeys.map(({ id }) => id).join(', ') || 'none'
      throw new UserError(`--journey ${journey} is not on record; there is: ${known}`, 2)
    }
    const profileId = await profileOf(warehouse, identity, options.user, asOf)
    const story = await tellStory({ warehouse, profileId, asOf, journey })
    const text = options.json === true ? JSON.stringify(story) : linesOf(story, asOf).join('\n')
    process.stdout.write(`${text}\n`)
  } finally {
    await warehouse.close()
  }
}

const timeOf = (instant: number) => formatInstant(instant).slice(0, 19).replace('T', ' ')

function linesOf(story: Story, asOf: number | null): string[] {
  const { watermark, steps, sessions } = story
  const until = watermark === null ? 'no event yet' : `timeouts decided to ${timeOf(watermark)}`
  const then = asOf === null ? '' : `as believed at ${timeOf(asOf)}, `
  const lines = [`${story.profileId}  (${then}${until})`, '', 'Identifiers']
  for (const { identifier, firstSeenAt, eventCount, linkedBy } of story.identifiers) {
    const link =
      linkedBy === null
        ? 'linked by no event of its own'
        : `linked to ${linkedBy.with} ${timeOf(linkedBy.occurredAt)} by ${linkedBy.eventId} ` +
          `(${linkedBy.name})`
    lines.push(`  ${timeOf(firstSeenAt)}  ${identifier}, ${eventCount} events; ${link}`)
  }
  lines.push('', 'Events')
  const heads = new Map(sessions.map((session) => [session['session_id'], session]))
  let session: string | null = null
  for (const step of steps) {
    for (const one of step.outcomes.filter(isOfTime)) lines.push(outcomeLine(one))
    if (step.sessionId !== session) {
      session = step.sessionId
      const head = heads.get(session)
      lines.push(
        `  session ${head?.['session_no']} on ${head?.['stream']} (${head?.['source']}), ` +
          `${head?.['event_count']} events, started because: ${head?.['started_because']}`,
      )
    }
    lines.push(`  ${timeOf(step.occurredAt)}  ${step.name}  ${step.eventId}`)
    for (const one of step.outcomes) if (!isOfTime(one)) lines.push(outcomeLine(one))
  }
  lines.push(...story.since.map(outcomeLine))
  lines.push('', 'Pending', ...none(story.pending.map(pendingLine)))
  const title = asOf === null ? 'Corrected' : 'Corrected since'
  return [...lines, '', title, ...none(story.corrections.flatMap(correctionLines))]
}

const none = (lines: string[]) => (lines.length === 0 ? ['  nothing'] : lines)

const isOfTime = ({ kind }: Outcome) => kind === 'timeout' || kind === 'spent'

function outcomeLine(outcome: Outcome): string {
  const { kind, journey, track, from, to, tried } = outcome
  const where = track === '' || track === 'main' ? journey : `${journey}.${track}`
  const why = tried.map(triedWords).filter((words) => words !== '').join('; ')
  const because = why === '' ? '' : `  (${why})`
  if (kind === 'started') return `      ${where}: started in ${to}`
  if (kind === 'moved') return `      ${where}: ${from} → ${to}${because}`
  if (kind === 'ignored') return `      ${where}: ignored${because}`
  if (kind === 'refused') {
    return `      ${where}: refused in ${from}${because || '  (not accepted there)'}`
  }
  const at = timeOf(outcome.at)
  if (kind === 'timeout') return `  ${at}  ${where}: ${from} → ${to} by timeout${because}`
  return `  ${at}  ${where}: a timeout was due and not taken${because}`
}

/** `to cart: property value gte 10 failed, it was 5`; without a guard there is nothing to say. */
function triedWords({ target, parts }: Tried): string {
  const words = parts.map(({ condition, held, seen }) => {
    const saw = seen === undefined ? '' : `, it was ${JSON.stringify(seen)}`
    return `${condition} ${held ? 'held' : 'failed'}${saw}`
  })
  return words.length === 0 ? '' : `to ${target}: ${words.join(', ')}`
}

function pendingLine({ dueAt, journey, track, state }: Story['pending'][number]): string {
  const where = track === 'main' ? journey : `${journey}.${track}`
  return `  ${timeOf(dueAt)}  ${where}: timeout of ${state}`
}

const SHOWN_MAX = 10

function correctionLines(correction: Story['corrections'][number]): string[] {
  const { at, batch, origin, because, events, takenBack } = correction
  const cause = events
    .slice(0, 3)
    .map(({ eventId, name, occurredAt }) => `${eventId} (${name}, ${timeOf(occurredAt)})`)
  const more = takenBack.length - SHOWN_MAX
  return [
    `  ${timeOf(at)}  ${because}, batch ${batch} of ${origin}` +
      (cause.length === 0 ? '' : `, with ${cause.join(', ')}${events.length > 3 ? ' …' : ''}`),
    ...takenBack.slice(0, SHOWN_MAX).map((what) => `      taken back: ${what}`),
    ...(more > 0 ? [`      and ${more} more: --json has them all`] : []),
  ]
}

await main(program)
