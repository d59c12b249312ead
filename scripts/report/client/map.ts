/**
 * The journey's map: the states, and the ways people really took. A line is as wide as its count;
 * what leads on and what leads back differ in colour, a timeout is dashed, and what was refused
 * ends at a wall inside its state.
 */

import type { StatePart, TrackPart, WayPart } from '../document.ts'
import { html, nothing, section, svg, type Child } from './element.ts'
import { count, percent } from './format.ts'
import { arrow, label, labelSize, loop } from './map-arrow.ts'
import { legend } from './map-legend.ts'
import {
  insideText,
  keyOf,
  mapTable,
  refusedText,
  stateFacts,
  stateText,
  sum,
  wayFacts,
  wayText,
} from './map-words.ts'
import { place, type Direction, type Placed } from './layout.ts'
import { isSame, touchesState, touchesWay, type Selection } from './selection.ts'
import { facts, tip } from './tooltip.ts'

/** Shows the rest of the page in the light of what was clicked. */
export type OnSelect = (selection: Selection) => void

type Drawn = { element: SVGElement; selection: Exclude<Selection, null>; isWay: boolean }

const WIDE_FROM = 700
const SCALE_MIN = 0.72
const SCALE_MAX = 1.15
const WIDTH_MAX = 13
const SHOWN_WITHOUT_ASKING = 24
const COVERAGE_AT_FIRST = 0.95
const START = '\u0000start'

export class JourneyMap {
  readonly element: HTMLElement
  readonly #track: TrackPart
  readonly #onSelect: OnSelect
  readonly #canvas = html('div', { class: 'map-canvas' })
  readonly #refused: Map<string, number>
  #drawn: Drawn[] = []
  #selection: Selection = null
  #shown: number
  #width = 0

  constructor(track: TrackPart, onSelect: OnSelect) {
    this.#track = track
    this.#onSelect = onSelect
    this.#shown = waysAtFirst(track.ways)
    this.#refused = new Map()
    for (const { state, count: times } of track.refusals) {
      this.#refused.set(state, (this.#refused.get(state) ?? 0) + times)
    }
    const never = track.states.filter(({ entered }) => entered === 0).map(({ name }) => name)
    this.element = section(
      'map',
      'The map',
      [
        'Every way people took from state to state, as wide as it is common. ' +
          'Click a state or a way, and the rest of the page shows what goes through it.',
      ],
      track.ways.length === 0 && track.states.every(({ entered }) => entered === 0)
        ? nothing('Nobody has set out yet.')
        : html('div', {}, legend(), this.#slider(), this.#canvas),
      never.length === 0
        ? null
        : html('p', { class: 'note' }, `Never entered so far: ${never.join(', ')}.`),
      mapTable(track),
    )
  }

  /** Draws for the width there is; again whenever that changes. */
  fit(): void {
    const width = this.#canvas.clientWidth
    if (width === 0 || width === this.#width) return
    this.#width = width
    this.#draw()
  }

  select(selection: Selection): void {
    this.#selection = selection
    const focused = document.activeElement
    for (const { element, selection: own, isWay } of this.#drawn) {
      const isTouched =
        'state' in own
          ? touchesState(selection, own.state)
          : touchesWay(selection, own.from, own.to)
      element.classList.toggle('is-dim', !isTouched)
      element.classList.toggle('is-selected', selection !== null && isSame(own, selection))
      element.setAttribute('aria-pressed', String(isSame(own, selection)))
      if (isWay && isTouched && selection !== null) element.parentNode?.append(element)
    }
    // What is drawn last lies on top; an element that moves loses the focus.
    if (focused instanceof SVGElement) focused.focus({ preventScroll: true })
  }

  #slider(): Child {
    const { ways } = this.#track
    if (ways.length <= SHOWN_WITHOUT_ASKING) return null
    const all = sum(ways.map((way) => way.count))
    const said = html('output', {})
    const say = () => {
      const shown = sum(ways.slice(0, this.#shown).map((way) => way.count))
      said.textContent = `${this.#shown} of ${ways.length}: ${percent(shown / all)} of all moves`
    }
    const slide = (event: Event) => {
      this.#shown = Number((event.target as HTMLInputElement).value)
      say()
      this.#draw()
    }
    say()
    return html(
      'label',
      { class: 'slider' },
      'Commonest ways ',
      html('input', {
        type: 'range',
        min: 1,
        max: ways.length,
        value: this.#shown,
        input: slide,
      }),
      said,
    )
  }

  #draw(): void {
    const ways = this.#track.ways.slice(0, this.#shown)
    const seen = new Set([this.#track.initial, ...ways.flatMap(({ from, to }) => [from, to])])
    const states = this.#track.states.filter(({ name, entered }) => entered > 0 && seen.has(name))
    const placed = this.#place(states, ways)
    const scale = Math.max(SCALE_MIN, Math.min(SCALE_MAX, this.#width / placed.width))
    const lines = svg('g', {})
    const root = svg(
      'svg',
      {
        class: 'map',
        viewBox: `0 0 ${placed.width} ${placed.height}`,
        width: placed.width * scale,
        height: placed.height * scale,
        role: 'group',
        'aria-label': 'Map of the journey; the table below has the same numbers',
      },
      lines,
    )
    this.#drawn = []
    const most = Math.max(1, this.#track.started, ...ways.map((way) => way.count))
    lines.append(...this.#start(placed, most))
    const rank = new Map(states.map(({ name }, i) => [name, i]))
    for (const way of [...ways].reverse()) {
      const isBack = (rank.get(way.to) ?? 0) <= (rank.get(way.from) ?? 0)
      const drawn = this.#way(way, placed, isBack, most)
      if (drawn !== null) lines.append(drawn)
    }
    root.append(...states.map((state) => this.#state(state, placed)))
    this.#canvas.replaceChildren(root)
    const start = placed.boxes.get(START)?.x ?? 0
    this.#canvas.scrollLeft = start * scale - this.#width / 2
    this.select(this.#selection)
  }

  /** Rightwards where that fits, else downwards. */
  #place(states: StatePart[], ways: WayPart[]): Placed {
    const boxes = [
      { name: START, width: 12, height: 12 },
      ...states.map((state) => ({ name: state.name, ...this.#size(state) })),
    ]
    const lines = [
      {
        key: START,
        from: START,
        to: this.#track.initial,
        label: labelSize(count(this.#track.started)),
      },
      ...ways.map((way) => ({
        key: keyOf(way),
        from: way.from,
        to: way.to,
        label: labelSize(count(way.count)),
      })),
    ]
    const laid = (direction: Direction) => place(boxes, lines, direction)
    if (this.#width < WIDE_FROM) return laid('down')
    const right = laid('right')
    return this.#width / right.width >= SCALE_MIN ? right : laid('down')
  }

  #size({ name, inside }: StatePart): { width: number; height: number } {
    const refused = this.#refused.get(name) ?? 0
    const second = Math.max(
      insideText(inside).length,
      refused > 0 ? refusedText(refused).length + 3 : 0,
    )
    const width = Math.max(96, 28 + name.length * 8.2, 28 + second * 6.6)
    return { width, height: refused > 0 ? 68 : 50 }
  }

  #start(placed: Placed, most: number): SVGElement[] {
    const at = placed.boxes.get(START)
    const way = placed.lines.get(START)
    if (at === undefined || way === undefined) return []
    const { started } = this.#track
    const width = widthOf(started, most)
    const { body, head, label: number } = arrow(way.points, way.label, width, placed.direction)
    return [
      svg('circle', { class: 'start', cx: at.x, cy: at.y, r: 5 }),
      svg('path', { class: 'start-line', d: body, 'stroke-width': width }),
      svg('path', { class: 'start', d: head }),
      ...label(count(started), number),
    ]
  }

  #way(way: WayPart, placed: Placed, isBack: boolean, most: number): SVGElement | null {
    const line = placed.lines.get(keyOf(way))
    if (line === undefined) return null
    const width = widthOf(way.count, most)
    const {
      body,
      head,
      label: at,
    } = way.from === way.to
      ? loop(this.#boxOf(way.from, placed), width, placed.direction)
      : arrow(line.points, line.label, width, placed.direction)
    const kinds = ['way', isBack ? 'is-back' : 'is-on', way.cause === 'timeout' ? 'is-timeout' : '']
    const group = svg(
      'g',
      {
        class: kinds.join(' '),
        ...this.#pressable({ from: way.from, to: way.to }),
        'aria-label': wayText(way),
      },
      svg('path', { class: 'reach', d: body }),
      svg('path', { class: 'body', d: body, 'stroke-width': width }),
      svg('path', { class: 'head', d: head }),
      ...label(count(way.count), at),
    )
    tip(group, () => facts(`${way.from} → ${way.to}`, wayFacts(way)))
    this.#drawn.push({
      element: group,
      selection: { from: way.from, to: way.to },
      isWay: true,
    })
    return group
  }

  #boxOf(state: string, placed: Placed) {
    const { x = 0, y = 0 } = placed.boxes.get(state) ?? {}
    const part = this.#track.states.find(({ name }) => name === state)
    return { x, y, ...(part === undefined ? { width: 0, height: 0 } : this.#size(part)) }
  }

  #state(state: StatePart, placed: Placed): SVGElement {
    const { width, height, ...at } = this.#boxOf(state.name, placed)
    const refused = this.#refused.get(state.name) ?? 0
    const top = at.y - height / 2
    const wall = at.x - (refusedText(refused).length * 6.4) / 2 - 4
    const group = svg(
      'g',
      {
        class: state.isFinal ? 'state is-final' : 'state',
        ...this.#pressable({ state: state.name }),
        'aria-label': stateText(state, refused),
      },
      svg('rect', { x: at.x - width / 2, y: top, width, height, rx: 10 }),
      state.isFinal
        ? svg('rect', {
            class: 'inner',
            x: at.x - width / 2 + 3.5,
            y: top + 3.5,
            width: width - 7,
            height: height - 7,
            rx: 7,
          })
        : null,
      svg('text', { class: 'state-name', x: at.x, y: top + 21 }, state.name),
      svg('text', { class: 'state-note', x: at.x, y: top + 38 }, insideText(state.inside)),
      refused === 0
        ? null
        : svg(
            'g',
            { class: 'refused' },
            svg('path', { d: `M${wall - 12},${top + 52}h10m0,-5v10` }),
            svg('text', { class: 'state-note', x: at.x + 6, y: top + 56 }, refusedText(refused)),
          ),
    )
    tip(group, () => facts(state.name, stateFacts(state, refused)))
    this.#drawn.push({ element: group, selection: { state: state.name }, isWay: false })
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

/** How many ways to show before anybody asks: all of a few, else what most people took. */
function waysAtFirst(ways: WayPart[]): number {
  if (ways.length <= SHOWN_WITHOUT_ASKING) return ways.length
  const enough = COVERAGE_AT_FIRST * sum(ways.map((way) => way.count))
  let covered = 0
  const needed = ways.findIndex((way) => (covered += way.count) >= enough)
  return Math.min(SHOWN_WITHOUT_ASKING, needed + 1)
}

/** Lines are as wide as their count; the rarest can still be seen. */
const widthOf = (times: number, most: number): number => 1.2 + (WIDTH_MAX * times) / most
