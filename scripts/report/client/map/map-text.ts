/** Texts of the map: their measured size, and long names on several lines. */

export type Size = { width: number; height: number }

const NAME_CHARACTERS = 20
const NAME_LINES = 4

/** Sizes in pixels, as in the style sheet. */
export const NAME_FONT = '620 13.5px'
export const NOTE_FONT = '400 12px'
export const NAME_HEIGHT = 17
export const NOTE_HEIGHT = 16

const context = document.createElement('canvas').getContext('2d')

/** Returns the width of a text in pixels, in the page's font. */
export function widthOf(text: string, font: string): number {
  if (context === null) return text.length * 9
  context.font = `${font} ${getComputedStyle(document.body).fontFamily}`
  return context.measureText(text).width
}

/** Returns the lines of a state's name, broken behind `_` and `-`. A name that is too long even so
 * loses its middle, because names differ most often at the end. */
export function nameLines(name: string): string[] {
  const parts = name.split(/(?<=[_-])/).flatMap(piecesOf)
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last === undefined || last.length + part.length > NAME_CHARACTERS) lines.push(part)
    else lines[lines.length - 1] = last + part
  }
  if (lines.length <= NAME_LINES) return lines
  return [...lines.slice(0, NAME_LINES - 2), '…', ...lines.slice(-1)]
}

function piecesOf(part: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < part.length; at += NAME_CHARACTERS) {
    pieces.push(part.slice(at, at + NAME_CHARACTERS))
  }
  return pieces
}

/** Returns the size of a plate of notes. */
export function plateSize(lines: string[]): Size {
  const widths = lines.map((line) => widthOf(line, NOTE_FONT))
  return { width: 8 + Math.max(0, ...widths), height: 2 + NOTE_HEIGHT * lines.length }
}
