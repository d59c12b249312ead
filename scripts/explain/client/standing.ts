/** States of the person in each journey at an event time, in a revision. */

import { html, nothing, section } from '../../report/client/element.ts'
import { duration } from '../../report/client/format.ts'
import type { StoryDocument } from '../document.ts'
import { timeOf } from '../words.ts'
import { latestChanged, staysOf, titleOf, type Stay } from './stay.ts'

const SHOWN = 12

/** The latest stay of each lane that has begun by `moment`. */
function staysAt(story: StoryDocument, revision: number, moment: number): Stay[] {
  return staysOf(story, revision).flatMap((lane) => {
    return lane.findLast(({ since }) => since <= moment) ?? []
  })
}

export function standing(story: StoryDocument, revision: number, moment: number): HTMLElement {
  const stays = staysAt(story, revision, moment)
  const today = staysAt(story, story.revisions.length - 1, moment)
  const shown = latestChanged(stays, SHOWN, ({ since }) => since)
  const missed = today.filter((one) => !stays.some((stay) => titleOf(stay) === titleOf(one)))
  const cards = [
    ...shown.map((stay) => card(story, revision, moment, stay, today)),
    ...missed
      .slice(0, SHOWN)
      .map((stay) => cardOf(titleOf(stay), 'not begun', [], `now recorded: ${stay.state}`)),
  ]
  const body =
    cards.length === 0
      ? nothing('No journey had begun.')
      : html('ul', { class: 'headline standing' }, ...cards)
  const { watermark = null } = story.revisions[revision] ?? {}
  const isAhead = watermark !== null && moment > watermark
  const until = `Nothing after ${timeOf(watermark ?? 0)} was decided yet in this revision.`
  return section(
    'standing',
    'States of this person',
    [
      'In each journey, at the event time and in the revision chosen above. ',
      isAhead ? html('span', { class: 'correction' }, until) : null,
    ],
    body,
    stays.length === shown.length
      ? ''
      : html('p', { class: 'note' }, `${stays.length - shown.length} more began longer ago.`),
  )
}

function card(
  story: StoryDocument,
  revision: number,
  moment: number,
  stay: Stay,
  today: readonly Stay[],
): HTMLElement {
  const { profileId, instanceId, track, state, since } = stay
  const until = Math.min(moment, story.revisions[revision]?.watermark ?? moment)
  const lines = [`since ${timeOf(since)}, for ${duration((until - since) / 1_000)}`]
  const pending = (story.revisions[revision]?.pending ?? [])
    .map((n) => story.pending[n])
    .find((one) => one?.instanceId === instanceId && one.track === track && one.state === state)
  if (pending !== undefined && pending.dueAt > moment && isLast(story, revision, stay)) {
    lines.push(`timeout due ${timeOf(pending.dueAt)}`)
  }
  if (profileId !== story.profileId) lines.push(`as ${profileId}`)
  const now = today.find((one) => titleOf(one) === titleOf(stay))
  const isCorrected = now?.state !== state || now.since !== since
  const then = now === undefined ? 'not begun' : `${now.state} since ${timeOf(now.since)}`
  return cardOf(titleOf(stay), state, lines, isCorrected ? `now recorded: ${then}` : null)
}

/** Whether the stay is the last one of the revision. */
function isLast(story: StoryDocument, revision: number, stay: Stay): boolean {
  const last = staysAt(story, revision, Infinity)
  return last.some(({ instanceId, track, since }) => {
    return instanceId === stay.instanceId && track === stay.track && since === stay.since
  })
}

function cardOf(title: string, state: string, lines: string[], corrected: string | null) {
  return html(
    'li',
    { class: corrected === null ? null : 'is-corrected' },
    html('p', { class: 'label' }, html('bdi', {}, title)),
    html('p', { class: 'value' }, html('bdi', {}, state)),
    ...lines.map((line) => html('p', { class: 'text' }, html('bdi', {}, line))),
    corrected === null ? null : html('p', { class: 'correction' }, html('bdi', {}, corrected)),
  )
}
