/**
 * Text for a reader that is not this program: a terminal, a shell, a spreadsheet, a sentence.
 *
 * Names and ids come from input, so they may contain anything. Each place of output has one
 * function here, and nothing else prepares text for it.
 */

/** Control characters, separators of lines, and marks that reorder what is printed. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const SHORT_ESCAPES: { [character: string]: string } = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Returns the text on one line for a terminal: whatever would move the cursor, end the line or
 * reorder it is written as an escape (`\u001b`, `\n`). */
export function printable(text: string): string {
  return text.replaceAll(
    UNPRINTABLE,
    (character) =>
      SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Returns text that may have several lines for a terminal: lines after the first are indented, so
 * a line break in a value cannot pass for a message of its own. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line, i) => (i === 0 || line.startsWith('  ') ? printable(line) : `  ${printable(line)}`))
    .join('\n')
}

/** Returns the text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Characters at the start of a cell that make a spreadsheet evaluate it. */
export const FORMULA_STARTS = ['=', '+', '-', '@', '\t', '\r'] as const

/** Returns the SQL expression (DuckDB) of a text column as a CSV field: text that a spreadsheet
 * would evaluate starts with an apostrophe. */
export function csvFieldSql(column: string): string {
  const codes = FORMULA_STARTS.map((start) => `chr(${start.charCodeAt(0)})`).join(', ')
  return `case when left(${column}, 1) in (${codes}) then '''' || ${column} else ${column} end`
}

/** Returns a line of CSV with its end. Text that a spreadsheet would evaluate starts with an
 * apostrophe, as in `csvFieldSql`; null is empty. */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(csvField).join(',')}\r\n`
}

function csvField(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value)
  const text = FORMULA_STARTS.some((start) => value.startsWith(start)) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Returns a count with its noun: `1 event`, `2,000 events`, `1 person`, `2 people`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** Returns what to choose instead of an unknown name, for an error. `what` is the plural of the kind. */
export function choiceOf(names: readonly string[], what: string): string {
  return names.length === 0 ? `it has no ${what}` : `choose one of ${names.join(', ')}`
}
