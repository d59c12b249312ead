/**
 * Explanation page: selects event time and knowledge time, and shows the states and events at these
 * times. Event time redraws the states; knowledge time redraws everything.
 */

import { html, nothing, section } from '../../report/client/element.ts'
import { counted } from '../../report/client/format.ts'
import { pageHeader } from '../../report/client/header.ts'
import type { StoryDocument } from '../document.ts'
import { causeWords, identifierWords, pendingWords, timeOf } from '../words.ts'
import { Changes } from './change.ts'
import { Lanes } from './lanes.ts'
import { slider } from './slider.ts'
import { standing } from './standing.ts'
import { Timeline } from './timeline.ts'

const TAKEN_BACK_SHOWN = 10

const data = document.getElementById('document')?.textContent ?? ''
const story = JSON.parse(data) as StoryDocument
const { revisions, moments } = story
const changes = new Changes(story)

const states = html('div', {})
const rest = html('div', {})
let revision = story.opening
let momentNo = moments.length - 1
let timeline = new Timeline(story, revision, changes)
let lanes = new Lanes(story, revision)

function drawMoment(): void {
  const moment = moments[momentNo] ?? 0
  states.replaceChildren(standing(story, revision, moment))
  lanes.at(moment)
  timeline.at(moment)
  for (const row of rest.querySelectorAll<HTMLElement>('[data-at]')) {
    row.classList.toggle('is-ahead', Number(row.dataset['at']) > moment)
  }
}

function drawRevision(): void {
  lanes = new Lanes(story, revision)
  timeline = new Timeline(story, revision, changes)
  rest.replaceChildren(lanes.element, timeline.element, pending(), identifiers(), corrections())
  drawMoment()
}

function intro(): HTMLElement {
  const sessions = revisions.at(-1)?.sessions.flatMap((n) => story.sessions[n] ?? []) ?? []
  const events = sessions.reduce((sum, { eventCount }) => sum + eventCount, 0)
  const { journey, corrections: all, revisionsLeftOut } = story
  const earlier = counted(revisionsLeftOut, 'earlier revision', 'earlier revisions')
  return html(
    'div',
    { class: 'intro' },
    html('h1', {}, html('bdi', {}, story.profileId)),
    html(
      'p',
      { class: 'lede' },
      `${counted(events, 'event', 'events')} in ` +
        `${counted(sessions.length, 'session', 'sessions')}` +
        `${journey === null ? '' : `, of ${journey} alone`}. ` +
        `The record changed ${counted(revisions.length - 1, 'time', 'times')}; ` +
        `${counted(all.length, 'correction', 'corrections')} took something back.` +
        (revisionsLeftOut === 0 ? '' : ` ${earlier} cannot be chosen.`),
    ),
  )
}

function times(): HTMLElement {
  const momentWords = (place: number) => timeOf(moments[place] ?? 0)
  const revisionWords = (place: number) => {
    const { at = 0, batch } = revisions[place] ?? {}
    const isLast = place === revisions.length - 1
    return `${timeOf(at)}, batch ${batch}${isLast ? ', the latest' : ''}`
  }
  return html(
    'div',
    { class: 'times', role: 'group', 'aria-label': 'The two times, UTC' },
    slider({
      id: 'event-time',
      title: 'Event time',
      count: moments.length,
      start: momentNo,
      wordsOf: momentWords,
      onChange: (place) => {
        momentNo = place
        drawMoment()
      },
    }),
    slider({
      id: 'knowledge-time',
      title: 'Knowledge time',
      count: revisions.length,
      start: revision,
      wordsOf: revisionWords,
      onChange: (place) => {
        revision = place
        drawRevision()
      },
    }),
  )
}

function pending(): HTMLElement {
  const known = revisions[revision]?.pending.flatMap((n) => story.pending[n] ?? []) ?? []
  const { watermark = null } = revisions[revision] ?? {}
  const lede =
    watermark === null ? 'Nothing was decided yet.' : `Decided up to ${timeOf(watermark)}.`
  return section(
    'pending',
    'Timeouts still to come',
    [lede],
    listed(
      known.map((one) => lineOf(one.dueAt, pendingWords(one))),
      'None was pending.',
    ),
  )
}

function identifiers(): HTMLElement {
  const known = revisions[revision]?.identifiers.flatMap((n) => story.identifiers[n] ?? []) ?? []
  return section(
    'identifiers',
    'Known by',
    ['Each identifier, when it was first seen, and the event that linked it.'],
    listed(
      known.map((one) => lineOf(one.firstSeenAt, identifierWords(one), one.firstSeenAt)),
      'Nobody of this name was known.',
    ),
  )
}

const listed = (rows: HTMLElement[], none: string) =>
  rows.length === 0 ? nothing(none) : html('ol', { class: 'timeline' }, ...rows)

/** `dimAfter`: dimmed while event time has not come to it. */
function lineOf(at: number, words: string, dimAfter: number | null = null): HTMLElement {
  return html(
    'li',
    { class: 'happening', 'data-at': dimAfter },
    html('time', {}, timeOf(at)),
    html('div', { dir: 'auto' }, words),
  )
}

function corrections(): HTMLElement {
  const now = revisions[revision]?.at ?? 0
  const rows = story.corrections.map((correction, i) => {
    const { at, takenBack } = correction
    const more = takenBack.slice(TAKEN_BACK_SHOWN)
    const lines = (texts: string[]) =>
      html('ul', { class: 'outcomes' }, ...texts.map((text) => html('li', { dir: 'auto' }, text)))
    return html(
      'li',
      {
        id: `correction-${i}`,
        class: `happening${at > now ? ' is-ahead' : at === now ? ' is-new' : ''}`,
      },
      html('time', {}, timeOf(at)),
      html(
        'div',
        {},
        html('p', { dir: 'auto' }, causeWords(correction)),
        at > now ? html('p', { class: 'correction' }, 'not known yet') : null,
        lines(takenBack.slice(0, TAKEN_BACK_SHOWN).map((what) => `taken back: ${what}`)),
        more.length === 0
          ? null
          : html('details', {}, html('summary', {}, `and ${more.length} more`), lines(more)),
      ),
    )
  })
  return section(
    'corrections',
    'Corrected',
    ['Rows that were taken back, when, and because of what.'],
    listed(rows, 'Nothing was ever taken back.'),
  )
}

function footer(): HTMLElement {
  const { at = 0, batch, watermark = null } = revisions.at(-1) ?? {}
  const until = watermark === null ? '' : `, timeouts decided to ${timeOf(watermark)}`
  return html(
    'footer',
    {},
    html(
      'p',
      {},
      `All times are UTC. Read from ${story.warehouse} as recorded ${timeOf(at)} ` +
        `(batch ${batch})${until}.`,
    ),
  )
}

document.body.replaceChildren(
  pageHeader(html('div', { class: 'top-choice' })),
  html('main', {}, intro(), times(), states, rest),
  footer(),
)
drawRevision()
