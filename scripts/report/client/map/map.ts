/**
 * The journey's map: the states, and the ways people really took. A line is as wide as its count;
 * what leads on and what leads back differ in colour, a timeout is dashed, and what was refused
 * ends at a wall inside its state.
 */

import type { TrackPart, WayPart } from '../../document.ts'
import { html, nothing, section, svg, type Child } from '../element.ts'
import { count } from '../format.ts'
import { folded } from './fold.ts'
import { place, widthRightwards, type Line, type Placed } from './layout.ts'
import { arrow, loop } from './map-arrow.ts'
import { WayChoice } from './map-choice.ts'
import { legend } from './map-legend.ts'
import { StateBox } from './map-state.ts'
import { plateSize } from './map-text.ts'
import { heightMax, MapView } from './map-view.ts'
import { plate, thicknessOf, weightOf } from './map-way.ts'
import {
  keyOf,
  mapTable,
  stateFacts,
  stateText,
  wayFacts,
  wayLabel,
  waysLeftOutText,
  wayText,
} from './map-words.ts'
import { isSame, touchesState, touchesWay, type Selection } from '../selection.ts'
import { facts, tip } from '../tooltip.ts'

/** Shows the rest of the page in the light of what was clicked. */
export type OnSelect = (selection: Selection) => void

type Drawn = { element: SVGElement; selection: Exclude<Selection, null> }

const WIDE_FROM = 700
/** A map that runs right is drawn downwards where it would be smaller than this. */
const SCALE_MIN = 0.72
const SCALE_MAX = 1.15
const START = '\u0000start'

export class JourneyMap {
  readonly element: HTMLElement
  readonly #track: TrackPart
  readonly #onSelect: OnSelect
  readonly #view = new MapView()
  readonly #choice: WayChoice
  readonly #note = html('p', { class: 'note', role: 'status' })
  readonly #refused = new Map<string, number>()
  #drawn: Drawn[] = []
  #selection: Selection = null
  #shown: number
  #width = 0

  constructor(track: TrackPart, onSelect: OnSelect) {
    this.#track = track
    this.#onSelect = onSelect
    this.#choice = new WayChoice(track.states, track.ways)
    this.#shown = this.#choice.atFirst
    for (const { state, count: times } of track.refusals) {
      this.#refused.set(state, (this.#refused.get(state) ?? 0) + times)
    }
    this.element = section(
      'map',
      'The map',
      [
        'Every way people took from state to state, as wide as it is common: how often, its share ' +
          'of the stays there, and the time after which half had taken it. ' +
          'Click a state or a way, and the rest of the page shows what goes through it.',
      ],
      track.started === 0 ? nothing('Nobody has set out yet.') : null,
      legend(),
      this.#slider(),
      this.#view.element,
      this.#note,
      mapTable(track),
    )
  }

  /** Draws for the width there is; again whenever that changes. */
  fit(): void {
    const { width } = this.#view
    if (width === 0 || width === this.#width) return
    this.#width = width
    this.#draw()
  }

  select(selection: Selection): void {
    this.#selection = selection
    for (const { element, selection: own } of this.#drawn) {
      const isTouched =
        'state' in own
          ? touchesState(selection, own.state)
          : touchesWay(selection, own.from, own.to)
      element.classList.toggle('is-dim', !isTouched)
      element.classList.toggle('is-selected', selection !== null && isSame(own, selection))
      element.setAttribute('aria-pressed', String(isSame(own, selection)))
    }
  }

  #slider(): Child {
    if (!this.#choice.isLarge) return null
    const said = html('output', {})
    const say = () => (said.textContent = this.#choice.coverage(this.#shown))
    const slide = (event: Event) => {
      this.#shown = Number((event.target as HTMLInputElement).value)
      say()
      this.#draw()
    }
    say()
    return html(
      'label',
      { class: 'slider' },
      'Ways drawn ',
      html('input', {
        type: 'range',
        min: 1,
        max: this.#choice.ways.length,
        value: this.#shown,
        input: slide,
      }),
      said,
    )
  }

  #draw(): void {
    const track = this.#track
    const boxes = this.#boxes()
    const ways = this.#choice.ways.slice(0, this.#shown).toSorted((a, b) => b.count - a.count)
    const most = Math.max(1, track.started, ...ways.map((way) => way.count))
    const placed = this.#place(boxes, ways, most)
    this.#drawn = []
    // States first, then the commonest ways: the keyboard meets them in this order.
    const states = [...boxes].map(([name, box]) => this.#state(name, box, placed))
    const lines = ways.map((way) => this.#way(way, boxes, placed, most))
    const far = [...boxes].map(([name, box]) => box.far(placed.boxes.get(name) ?? { x: 0, y: 0 }))
    const layer = svg('g', {}, ...this.#start(placed, most), ...states, ...lines, ...far)
    this.#view.show(
      layer,
      placed,
      SCALE_MAX,
      'Map of the journey; the table below has the same numbers',
    )
    const beyond = track.waysLeftOut.paths === 0 ? '' : ` ${waysLeftOutText(track.waysLeftOut)}`
    this.#note.textContent = this.#choice.leftOut(this.#shown) + beyond
    this.select(this.#selection)
  }

  #boxes(): Map<string, StateBox> {
    return new Map(
      this.#track.states.map((state) => [
        state.name,
        new StateBox(state, this.#refused.get(state.name) ?? 0),
      ]),
    )
  }

  /** Rightwards where that fits, else downwards, in columns if it is long. */
  #place(boxes: Map<string, StateBox>, ways: WayPart[], most: number): Placed {
    const { initial, started } = this.#track
    const lineOf = (
      key: string,
      from: string,
      to: string,
      times: number,
      label: string[],
    ): Line => ({
      key,
      from,
      to,
      label: plateSize(label),
      thickness: thicknessOf(times, most),
      weight: weightOf(times, most),
    })
    const lines = [
      lineOf(START, START, initial, started, [count(started)]),
      ...ways.map((way) => lineOf(keyOf(way), way.from, way.to, way.count, wayLabel(way))),
    ]
    const all = [
      { name: START, width: 12, height: 12 },
      ...[...boxes].map(([name, { size }]) => ({ name, ...size })),
    ]
    const isRight =
      this.#width >= WIDE_FROM && this.#width / widthRightwards(all, lines) >= SCALE_MIN
    if (isRight) return place(all, lines, 'right')
    const room = { width: this.#width, height: heightMax() }
    return folded(place(all, lines, 'down'), all, lines, room)
  }

  #start(placed: Placed, most: number): SVGElement[] {
    const at = placed.boxes.get(START)
    const line = placed.lines.get(START)
    if (at === undefined || line === undefined) return []
    const { started } = this.#track
    const thickness = thicknessOf(started, most)
    const isRight = placed.direction === 'right'
    const end = line.points.at(-1) ?? at
    const { body, head } = arrow([at, end], line.label, thickness, placed.direction)
    const text = started === 0 ? [] : [count(started)]
    const { width, height } = plateSize(text)
    const label = isRight
      ? { x: (at.x + end.x) / 2, y: at.y - (thickness + height) / 2 }
      : { x: at.x + (thickness + width) / 2, y: (at.y + end.y) / 2 }
    return [
      svg('circle', { class: 'start', cx: at.x, cy: at.y, r: 5 }),
      svg('path', { class: 'start-line', d: body, 'stroke-width': thickness }),
      svg('path', { class: 'start', d: head }),
      plate(text, label),
    ]
  }

  #way(way: WayPart, boxes: Map<string, StateBox>, placed: Placed, most: number): SVGElement {
    const { from, to, cause } = way
    const line = placed.lines.get(keyOf(way)) ?? { points: [], label: { x: 0, y: 0 } }
    const thickness = thicknessOf(way.count, most)
    const text = wayLabel(way)
    const box = {
      x: 0,
      y: 0,
      width: 0,
      height: 0,
      ...boxes.get(from)?.size,
      ...placed.boxes.get(from),
    }
    const { body, head, label } =
      from === to
        ? loop(box, line.label, plateSize(text), thickness, placed.direction)
        : arrow(line.points, line.label, thickness, placed.direction)
    const kinds = ['way', this.#choice.isBack(way) ? 'is-back' : 'is-on']
    if (cause === 'timeout') kinds.push('is-timeout')
    const group = svg(
      'g',
      { class: kinds.join(' '), ...this.#pressable({ from, to }), 'aria-label': wayText(way) },
      svg('path', { class: 'reach', d: body }),
      svg('path', { class: 'body', d: body, 'stroke-width': thickness }),
      svg('path', { class: 'head', d: head }),
      plate(text, label),
    )
    tip(group, () => facts(`${from} → ${to}`, wayFacts(way)))
    this.#drawn.push({ element: group, selection: { from, to } })
    return group
  }

  #state(name: string, box: StateBox, placed: Placed): SVGElement {
    const { state } = box
    const refused = this.#refused.get(name) ?? 0
    const kinds = ['state']
    if (state.isFinal) kinds.push('is-final')
    if (state.entered === 0) kinds.push('is-never')
    const group = svg(
      'g',
      {
        class: kinds.join(' '),
        ...this.#pressable({ state: name }),
        'aria-label': stateText(state, refused),
      },
      ...box.drawn(placed.boxes.get(name) ?? { x: 0, y: 0 }),
    )
    tip(group, () => facts(name, stateFacts(state, refused)))
    this.#drawn.push({ element: group, selection: { state: name } })
    return group
  }

  #pressable(selection: Exclude<Selection, null>) {
    const press = () => this.#onSelect(isSame(selection, this.#selection) ? null : selection)
    return {
      tabindex: 0,
      role: 'button',
      click: press,
      keydown: (event: Event) => {
        const { key } = event as KeyboardEvent
        if (key !== 'Enter' && key !== ' ') return
        event.preventDefault()
        press()
      },
    }
  }
}
