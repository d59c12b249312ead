/**
 * Finds the text of an object's members in a line of JSON, so that members that are only stored
 * need not be serialized again. The line must be valid JSON; it is not checked here.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const SPACE = 0x20

/**
 * Returns the range of each named value in the line's top-level object; undefined for absent names.
 * Of duplicate names the last counts, as in `JSON.parse`. Returns null if a key contains escapes;
 * the caller must then serialize the values.
 */
export function sliceMembers(
  line: string,
  names: readonly string[],
): (readonly [from: number, to: number] | undefined)[] | null {
  const found = names.map((): readonly [number, number] | undefined => undefined)
  let at = skipSpace(line, 0) + 1
  for (;;) {
    at = skipSpace(line, at)
    if (line.charCodeAt(at) !== QUOTE) return found
    const keyEnd = endOfText(line, at)
    const key = line.slice(at + 1, keyEnd - 1)
    if (key.includes('\\')) return null
    at = skipSpace(line, keyEnd) + 1
    const from = skipSpace(line, at)
    const to = endOfValue(line, from)
    const wanted = names.indexOf(key)
    if (wanted >= 0) found[wanted] = [from, to]
    at = skipSpace(line, to)
    if (line.charCodeAt(at) !== COMMA) return found
    at += 1
  }
}

function skipSpace(line: string, from: number): number {
  let at = from
  while (line.charCodeAt(at) <= SPACE) at += 1
  return at
}

/** Returns the position after the text that opens at `from`. */
function endOfText(line: string, from: number): number {
  let at = from
  for (;;) {
    at = line.indexOf('"', at + 1)
    if (at < 0) return line.length
    let backslashes = 0
    while (line.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
}

function endOfValue(line: string, from: number): number {
  const first = line.charCodeAt(from)
  if (first === QUOTE) return endOfText(line, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(line, from)
  let at = from
  for (;;) {
    const unit = line.charCodeAt(at)
    if (!(unit > SPACE) || unit === COMMA || unit === CLOSE_BRACE || unit === CLOSE_BRACKET)
      return at
    at += 1
  }
}

function endOfNested(line: string, from: number): number {
  let depth = 0
  let at = from
  for (;;) {
    const unit = line.charCodeAt(at)
    if (unit === QUOTE) {
      at = endOfText(line, at)
      continue
    }
    if (unit === OPEN_BRACE || unit === OPEN_BRACKET) depth += 1
    else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      depth -= 1
      if (depth === 0) return at + 1
    } else if (!(unit >= 0)) return at
    at += 1
  }
}
