/**
 * Timeline of one revision by session: each event with its effect, each timeout, and earlier and
 * later corrections. `at` is the selected event time.
 */

import { html, nothing, section, type Child } from '../../report/client/element.ts'
import type { Happening, StoryDocument } from '../document.ts'
import { outcomeWords, sessionWords, timeOf } from '../words.ts'
import { hasSameOutcomes, type Change, type Changes } from './change.ts'

const CORRECTED = 'corrected'

export class Timeline {
  readonly element: HTMLElement
  readonly #rows: { at: number; row: HTMLElement }[] = []
  readonly #mark = html('li', { class: 'mark', 'aria-hidden': 'true' })

  constructor(story: StoryDocument, revision: number, changes: Changes) {
    const part = story.revisions[revision]
    const happenings = (part?.happenings ?? []).map((n) => story.happenings[n] as Happening)
    const sessions = new Map(
      part?.sessions.map((n) => [story.sessions[n]?.sessionId, story.sessions[n]]),
    )
    let sessionId: string | null = null
    for (const happening of happenings) {
      const { event, at } = happening
      if (event !== null && event.sessionId !== sessionId) {
        sessionId = event.sessionId
        const head = sessions.get(sessionId)
        const words = head === undefined ? `session ${sessionId}` : sessionWords(head)
        this.#add(at, html('li', { class: 'session' }, html('bdi', {}, words)))
      }
      const change = changes.of(revision, happening)
      this.#add(at, rowOf(story, revision, happening, change))
    }
    const list = html('ol', { class: 'timeline' }, ...this.#rows.map(({ row }) => row))
    this.element = section(
      'events',
      'What happened',
      ['Each event with what it did; dimmed is what came after the event time chosen above.'],
      happenings.length === 0 ? nothing('Nothing was known yet.') : list,
      story.happeningsLeftOut === 0
        ? ''
        : html(
            'p',
            { class: 'note' },
            `${story.happeningsLeftOut} earlier events that moved nobody are left out.`,
          ),
    )
  }

  #add(at: number, row: HTMLElement): void {
    this.#rows.push({ at, row })
  }

  at(moment: number): void {
    this.#mark.textContent = timeOf(moment)
    for (const { at, row } of this.#rows) row.classList.toggle('is-ahead', at > moment)
    const next = this.#rows.find(({ at }) => at > moment)
    if (next !== undefined) next.row.before(this.#mark)
    else this.#rows.at(-1)?.row.after(this.#mark)
  }
}

function rowOf(
  story: StoryDocument,
  revision: number,
  happening: Happening,
  { firstSeen, since, until }: Change,
): HTMLElement {
  const { at, event, outcomes, profileId } = happening
  const lines = outcomes.map((one) => html('li', { class: `is-${one.kind}` }, outcomeWords(one)))
  const isNew = firstSeen === revision && revision > 0
  const isWrong = until !== null && !hasSameOutcomes(happening, until.instead)
  const marks = [
    isWrong ? 'is-wrong' : '',
    until === null ? '' : 'is-gone',
    since === null ? '' : 'is-corrected',
    isNew ? 'is-new' : '',
  ]
  return html(
    'li',
    { class: `happening ${marks.filter((mark) => mark !== '').join(' ')}`, dir: 'auto' },
    html('time', { dir: 'ltr' }, timeOf(at)),
    html(
      'div',
      {},
      event === null
        ? null
        : html(
            'p',
            { class: 'event' },
            html('bdi', {}, event.name),
            ' ',
            html('bdi', { class: 'aside' }, event.id),
          ),
      lines.length === 0 ? null : html('ul', { class: 'outcomes' }, ...lines),
      profileId === story.profileId ? null : aside(`recorded under ${profileId}`),
      isNew ? aside('new with this batch') : null,
      since === null
        ? null
        : corrected(...changeWords(story, CORRECTED, since.revision, [happening, since.was])),
      until === null
        ? null
        : corrected(
            ...changeWords(story, 'taken back', until.revision, [happening, until.instead]),
          ),
    ),
  )
}

const aside = (text: string) => html('p', { class: 'aside' }, text)
const corrected = (...children: Child[]) => html('p', { class: 'correction' }, ...children)

/** Time and cause of another revision, and how both differ. */
function changeWords(
  story: StoryDocument,
  verb: string,
  revision: number,
  [mine, other]: [Happening, Happening | null],
): Child[] {
  const { at, batch } = story.revisions[revision] as StoryDocument['revisions'][number]
  const causes = story.corrections.flatMap((one, i) => (one.at === at ? [i] : []))
  const whys = causes.flatMap((i, n): Child[] => [
    n === 0 ? ' by ' : ', ',
    html('a', { href: `#correction-${i}` }, causeOf(story.corrections[i]?.because)),
  ])
  const difference = [
    other === null ? 'not recorded' : '',
    other !== null && other.profileId !== mine.profileId ? `of ${other.profileId}` : '',
    other !== null && !hasSameOutcomes(mine, other) ? outcomesOf(other) : '',
  ].filter((words) => words !== '')
  return [
    `${verb} ${timeOf(at)}`,
    ...whys,
    ` (batch ${batch}), ${verb === CORRECTED ? 'before' : 'since'}: `,
    html('bdi', {}, difference.join(', ')),
  ]
}

const causeOf = (because = '') => because.replace('_', ' ')

const outcomesOf = ({ outcomes }: Happening) =>
  outcomes.map(outcomeWords).join('; ') || 'it did nothing'
