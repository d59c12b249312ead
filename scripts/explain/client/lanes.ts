/**
 * Stays as parallel lanes. Their scale is that of the slider: one column per instant at which
 * something happened, so minutes of activity are as wide as weeks of waiting. It is hidden from
 * screen readers, because the text below has the same content.
 */

import { html, section } from '../../report/client/element.ts'
import { shortened } from '../../report/client/format.ts'
import type { StoryDocument } from '../document.ts'
import { latestChanged, staysOf, titleOf, type Stay } from './stay.ts'

const SHOWN = 12
/** Pixels; where the columns need more than there is, the lanes go along with the event time. */
const COLUMN_MIN = 12
/** So wide that most names fit; a longer one loses its middle. */
const COLUMN_MAX = 96
const CHARACTER = 7.5
const PADDING = 16

export class Lanes {
  readonly element: HTMLElement
  readonly #cursor = html('div', { class: 'lane-cursor' })
  readonly #window: HTMLElement
  readonly #columns: number
  /** Pixels. */
  readonly #column: number
  readonly #shareOf: (moment: number) => number

  constructor(story: StoryDocument, revision: number) {
    const { moments } = story
    const last = Math.max(1, moments.length)
    this.#columns = last
    const places = new Map(moments.map((moment, place) => [moment, place / last]))
    this.#shareOf = (moment) => places.get(moment) ?? 1
    const lanes = staysOf(story, revision)
    const today = new Set(
      staysOf(story, story.revisions.length - 1)
        .flat()
        .map(nameOf),
    )
    const shown = latestChanged(lanes, SHOWN, (stays) => stays.at(-1)?.since ?? 0)
    const hidden = lanes.length - shown.length
    const { watermark = null } = story.revisions[revision] ?? {}
    const end = moments.findLast((moment) => moment <= (watermark ?? Infinity)) ?? Infinity
    this.#column = this.#widthFor(shown, end)
    const rows = shown.map((stays) => this.#lane(story, stays, end, today))
    this.#window = html(
      'div',
      { class: 'lanes', 'aria-hidden': 'true' },
      html(
        'div',
        { class: 'lanes-all', style: `min-width:${this.#column * last}px` },
        ...rows,
        this.#cursor,
      ),
    )
    this.element = section(
      'lanes',
      'The journeys over event time',
      ['A column for every instant at which something happened, as the slider has them.'],
      this.#window,
      hidden === 0 ? '' : html('p', { class: 'note' }, `${hidden} older ones are left out.`),
    )
    this.element.hidden = lanes.length === 0
  }

  at(moment: number): void {
    const share = this.#shareOf(moment)
    this.#cursor.style.left = `${100 * share}%`
    const { scrollWidth, clientWidth } = this.#window
    this.#window.scrollLeft = share * scrollWidth - clientWidth / 2
  }

  /** Returns the pixels of a column in which every stay has room for its name. */
  #widthFor(lanes: Stay[][], end: number): number {
    const needed = lanes.flatMap((stays) =>
      stays.map(
        ({ state }, i) =>
          (PADDING + CHARACTER * state.length) / Math.max(1, this.#span(stays, i, end)),
      ),
    )
    return Math.min(COLUMN_MAX, Math.max(COLUMN_MIN, ...needed))
  }

  /** Returns the columns of a stay. */
  #span(stays: Stay[], i: number, end: number): number {
    const from = this.#shareOf(stays[i]?.since ?? end)
    return (this.#untilOf(stays, i, end) - from) * this.#columns
  }

  /** Returns where a stay ends. An open one has the column of `end` as well. */
  #untilOf(stays: Stay[], i: number, end: number): number {
    const next = stays[i + 1]
    return next === undefined
      ? Math.min(1, this.#shareOf(end) + 1 / this.#columns)
      : this.#shareOf(next.since)
  }

  /** `end`: the watermark of the revision. */
  #lane(story: StoryDocument, stays: Stay[], end: number, today: ReadonlySet<string>): HTMLElement {
    const bars = stays.map((stay, i) => {
      const from = this.#shareOf(stay.since)
      const until = this.#untilOf(stays, i, end)
      const room = Math.floor((this.#span(stays, i, end) * this.#column - PADDING) / CHARACTER)
      const isCorrected = !today.has(nameOf(stay))
      return html(
        'div',
        {
          class: isCorrected ? 'stay is-corrected' : 'stay',
          style: `left:${100 * from}%;width:${100 * (until - from)}%`,
          title: stay.state,
        },
        html('bdi', {}, shortened(stay.state, Math.max(1, room))),
      )
    })
    const [first] = stays
    const owner = first?.profileId === story.profileId ? '' : ` (${first?.profileId})`
    const title = `${first === undefined ? '' : titleOf(first)}${owner}`
    return html(
      'div',
      { class: 'lane' },
      html('p', { class: 'lane-title' }, html('bdi', {}, title)),
      html('div', { class: 'lane-bars' }, ...bars),
    )
  }
}

const nameOf = (stay: Stay) => JSON.stringify([titleOf(stay), stay.state, stay.since])
