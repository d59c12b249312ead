/**
 * `npm run explain -- --user u-123`: explains the journeys of a person, event by event, with the
 * reasons. With `--as-of`, as they were recorded at that time, and what has been corrected since.
 * With `--html`, writes a page with a slider for each of the two times.
 *
 * Exit 0: done; 1: failed, or the identifier matches no profile; 2: wrong arguments.
 */

import { instantOf, warehouseToRead } from '../../pipeline/config.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { definitionsOnRecord } from '../../pipeline/query/as-of.ts'
import { isOfTime, type Outcome } from '../../pipeline/query/explain-outcome.ts'
import { profileOf } from '../../pipeline/query/explain-identifiers.ts'
import type { Correction } from '../../pipeline/query/explain-corrections.ts'
import { explainRevisions } from '../../pipeline/query/explain-revisions.ts'
import {
  explainProfile,
  type Question,
  type ProfileExplanation,
} from '../../pipeline/query/explain.ts'
import { warehouseCommand } from '../cli/command.ts'
import { storyPage } from './bundle.ts'
import { documentOf } from './collect.ts'
import { REVISIONS_MAX } from './document.ts'
import {
  causeWords,
  identifierWords,
  outcomeWords,
  pendingWords,
  sessionWords,
  timeOf,
} from './words.ts'
import { say, sayJson } from '../cli/output.ts'
import { writePage } from '../cli/page.ts'

type Options = {
  warehouse: string
  user: string
  journey?: string
  asOf?: string
  html?: string
  json?: boolean
}

export const program = warehouseCommand('npm run explain', 'Explains the journeys of one person.')
  .requiredOption('--user <who>', 'user id, or namespace:value')
  .option('--journey <id>', 'only this journey')
  .option('--as-of <instant>', 'knowledge time, RFC 3339 or now')
  .option('--html <file>', 'write a page with a slider for event time and for knowledge time')
  .option('--json', 'one JSON object, instants in microseconds')
  .action(explain)

async function explain(options: Options): Promise<void> {
  if (options.html !== undefined && options.json === true) {
    throw new UserError('--html and --json cannot be combined: use one of them', 2)
  }
  const asOf = options.asOf === undefined ? null : instantOf('--as-of', options.asOf)
  const warehouse = warehouseToRead(options.warehouse)
  await warehouse.open()
  try {
    const { identity, journeys } = await definitionsOnRecord(warehouse, asOf)
    const journey = options.journey ?? null
    if (journey !== null && !journeys.some(({ id }) => id === journey)) {
      const known = journeys.map(({ id }) => id).join(', ') || 'none'
      throw new UserError(`--journey ${journey} is not on record; the journeys are: ${known}`, 2)
    }
    if (options.html !== undefined) {
      const profileId = await profileOf(warehouse, identity, options.user, null)
      await writeStory(options.html, { warehouse, profileId, asOf, journey })
      return
    }
    const profileId = await profileOf(warehouse, identity, options.user, asOf)
    const story = await explainProfile({ warehouse, profileId, asOf, journey })
    if (options.json === true) sayJson(story)
    else say(linesOf(story, asOf))
  } finally {
    await warehouse.close()
  }
}

/** Writes the page of the current profile. It opens at `asOf`. */
async function writeStory(file: string, question: Question): Promise<void> {
  const revisions = await explainRevisions({ ...question, revisionsMax: REVISIONS_MAX })
  const { warehouse, ...about } = question
  const document = documentOf(revisions, { ...about, warehouse: warehouse.url })
  await writePage('--html', file, await storyPage(document))
}

function linesOf(story: ProfileExplanation, asOf: number | null): string[] {
  const { watermark, steps, sessions } = story
  const until = watermark === null ? 'no event yet' : `timeouts decided to ${timeOf(watermark)}`
  const then = asOf === null ? '' : `as recorded at ${timeOf(asOf)}, `
  const lines = [`${story.profileId}  (${then}${until})`, '', 'Identifiers']
  for (const identifier of story.identifiers) {
    lines.push(`  ${timeOf(identifier.firstSeenAt)}  ${identifierWords(identifier)}`)
  }
  lines.push('', 'Events')
  const heads = new Map(sessions.map((session) => [session.sessionId, session]))
  let sessionId: string | null = null
  for (const step of steps) {
    for (const one of step.outcomes.filter(isOfTime)) lines.push(outcomeLine(one))
    if (step.sessionId !== sessionId) {
      sessionId = step.sessionId
      const head = heads.get(sessionId)
      if (head !== undefined) lines.push(`  ${sessionWords(head)}`)
    }
    lines.push(`  ${timeOf(step.occurredAt)}  ${step.name}  ${step.eventId}`)
    for (const one of step.outcomes) if (!isOfTime(one)) lines.push(outcomeLine(one))
  }
  lines.push(...story.since.map(outcomeLine))
  const pending = story.pending.map((one) => `  ${timeOf(one.dueAt)}  ${pendingWords(one)}`)
  lines.push('', 'Pending', ...none(pending))
  const title = asOf === null ? 'Corrected' : 'Corrected since'
  return [...lines, '', title, ...none(story.corrections.flatMap(correctionLines))]
}

const none = (lines: string[]) => (lines.length === 0 ? ['  nothing'] : lines)

const outcomeLine = (outcome: Outcome) =>
  isOfTime(outcome)
    ? `  ${timeOf(outcome.at)}  ${outcomeWords(outcome)}`
    : `      ${outcomeWords(outcome)}`

const SHOWN_MAX = 10

function correctionLines(correction: Correction): string[] {
  const { at, takenBack } = correction
  const more = takenBack.length - SHOWN_MAX
  return [
    `  ${timeOf(at)}  ${causeWords(correction)}`,
    ...takenBack.slice(0, SHOWN_MAX).map((what) => `      taken back: ${what}`),
    ...(more > 0 ? [`      and ${more} more: --json has them all`] : []),
  ]
}
