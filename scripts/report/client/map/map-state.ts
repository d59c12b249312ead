/** States of the map as boxes: the name, who is still there or ended there, and what was refused. */

import type { StatePart } from '../../document.ts'
import { svg } from '../element.ts'
import { shortened } from '../format.ts'
import type { Point } from './layout.ts'
import {
  NAME_FONT,
  NAME_HEIGHT,
  nameLines,
  NOTE_FONT,
  NOTE_HEIGHT,
  widthOf,
  type Size,
} from './map-text.ts'
import { refusedText, stayingText } from './map-words.ts'

const PADDING = 11
const WIDTH_MIN = 92
/** Length of the name where the map is too small for more. */
const FAR_CHARACTERS = 22
/** Room for the wall before the number of refusals. */
const WALL = 18

/** The texts of a state and the size of its box. */
export class StateBox {
  readonly state: StatePart
  readonly size: Size
  readonly #lines: string[]
  readonly #note: string
  readonly #refused: string | null

  constructor(state: StatePart, refused: number) {
    this.state = state
    this.#lines = nameLines(state.name)
    this.#note = stayingText(state)
    this.#refused = refused === 0 ? null : refusedText(refused)
    const widths = [
      ...this.#lines.map((line) => widthOf(line, NAME_FONT)),
      widthOf(this.#note, NOTE_FONT),
      this.#refused === null ? 0 : WALL + widthOf(this.#refused, NOTE_FONT),
    ]
    const notes = this.#refused === null ? 1 : 2
    this.size = {
      width: Math.max(WIDTH_MIN, 2 * PADDING + Math.max(...widths)),
      height: 16 + this.#lines.length * NAME_HEIGHT + notes * NOTE_HEIGHT,
    }
  }

  /** Returns the contents of the box, its centre at `at`. Spaces part the texts where they are read. */
  drawn(at: Point): (SVGElement | string)[] {
    const { width, height } = this.size
    const [left, top] = [at.x - width / 2, at.y - height / 2]
    const nameAt = (i: number) => top + 20 + i * NAME_HEIGHT
    const noteAt = (i: number) => nameAt(this.#lines.length - 1) + NOTE_HEIGHT * (i + 1)
    const { isFinal } = this.state
    return [
      svg('rect', { x: left, y: top, width, height, rx: 10 }),
      ...(isFinal ? [this.#inner(left, top)] : []),
      ...this.#lines.flatMap((line, i) => [
        svg('text', { class: 'state-name', x: at.x, y: nameAt(i) }, line),
        ' ',
      ]),
      svg('text', { class: 'state-note', x: at.x, y: noteAt(0) }, this.#note),
      ' ',
      ...(this.#refused === null ? [] : [refusedAt(this.#refused, at.x, noteAt(1))]),
    ]
  }

  /** Returns the name as it is shown where the map is small, apart from the button of the state. */
  far({ x, y }: Point): SVGElement {
    const name = shortened(this.state.name, FAR_CHARACTERS)
    return svg('text', { class: 'state-far', x, y, 'aria-hidden': 'true' }, name)
  }

  #inner(left: number, top: number): SVGElement {
    const { width, height } = this.size
    return svg('rect', {
      class: 'inner',
      x: left + 3.5,
      y: top + 3.5,
      width: width - 7,
      height: height - 7,
      rx: 7,
    })
  }
}

function refusedAt(text: string, x: number, y: number): SVGElement {
  const wall = x - (widthOf(text, NOTE_FONT) + WALL) / 2
  return svg(
    'g',
    { class: 'refused' },
    svg('path', { d: `M${wall},${y - 4}h10m0,-5v10` }),
    svg('text', { class: 'state-note', x: x + WALL / 2, y }, text),
  )
}
