/**
 * Likely cause of a mostly refused input, and what to do about it, derived from the reasons and some
 * of the refused lines.
 */

import { counted } from '../../pipeline/base/text.ts'
import type { RunReport } from '../../pipeline/run.ts'
import type { Row, Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { grouped } from './funnel-lines.ts'
import { nextLine } from './next-command.ts'

const LETTERS_READ = 50
const NAMES_SHOWN = 5

/** A refused line. */
export type Letter = { reason: string; detail: string; text: string }

/** Keys that identify formats which are not supported. */
const FORMATS_BY_KEY: readonly [key: string, format: string][] = [
  ['event_timestamp', 'a GA4 export'],
  ['collector_tstamp', 'Snowplow enriched events'],
  ['specversion', 'CloudEvents'],
  ['event_type', 'an Amplitude export'],
  ['distinct_id', 'a Mixpanel export'],
]

/** Returns lines for a run that refused more than half of what it read, otherwise none. `origin` is
 * the name of the input. */
export async function refusalLines(
  warehouse: Warehouse,
  run: RunReport,
  namespaces: readonly string[],
  origin: string,
): Promise<string[]> {
  if (run.read === 0 || 2 * run.refused <= run.read) return []
  const [[reason, of] = ['', 0]] = [...run.reasons].sort((a, b) => b[1] - a[1])
  const rows = await warehouse.query(
    `select reason, detail, raw from dead_letters where reason = ? and resolved_at is null
     order by recorded_by desc, dead_letter_id limit ${LETTERS_READ}`,
    [reason],
  )
  const share = run.refused === run.read ? 'every line was' : 'most lines were'
  return [
    `${share} refused: ${grouped(run.refused)} of ${counted(run.read, 'line')} ` +
      `(${reason} ${grouped(of)})`,
    `likely cause: ${likelyCause(reason, rows.map(letterOf), namespaces, fileOf(origin))}`,
    `each refused line: ${nextLine('dead-letters', 'list')}`,
  ]
}

/** Returns the file name for printed commands, or a placeholder if it would need quotes. */
const fileOf = (origin: string) => (/^[\w./][\w./-]*$/.test(origin) ? origin : 'FILE')

function letterOf(row: Row): Letter {
  const text = Buffer.from(row['raw'] as Uint8Array).toString()
  return { reason: String(row['reason']), detail: String(row['detail']), text }
}

/** Returns the likely cause as text, with what to do. `namespaces` are those declared, `file` is the
 * name of the input in commands. */
export function likelyCause(
  reason: string,
  letters: readonly Letter[],
  namespaces: readonly string[],
  file = 'FILE',
): string {
  const texts = letters.map(({ text }) => text.trim()).filter((text) => text !== '')
  if (reason === 'invalid_json') return brokenCause(texts, file)
  const objects = texts.flatMap(objectOf)
  const keys = new Set(objects.flatMap((one) => Object.keys(one)))
  const known = FORMATS_BY_KEY.find(([key]) => hasKey(objects, key))
  if (reason !== 'no_identifier' && known !== undefined) {
    return `this looks like ${known[1]}; convert it to native or Segment events`
  }
  if (reason === 'no_identifier') {
    const given = objects.flatMap((one) => Object.keys(Object(one['identifiers']) as object))
    const names = [...new Set(given)].filter((name) => !namespaces.includes(name))
    const found = names.length === 0 ? 'none' : names.slice(0, NAMES_SHOWN).join(', ')
    return (
      `the events have no identifier in a declared namespace (declared: ${namespaces.join(', ')}; ` +
      `found: ${found}): declare it in identity.ts`
    )
  }
  if ((reason === 'missing_field' || reason === 'unknown_format') && keys.size > 0) {
    const some = [...keys].slice(0, NAMES_SHOWN).join(', ')
    return (
      `these objects have another format (${some}); native events have event_id, name, ` +
      `occurred_at and identifiers: ${letters[0]?.detail ?? ''}`
    )
  }
  return letters[0]?.detail ?? reason
}

/** Returns the likely cause of lines that are not JSON. */
function brokenCause(texts: readonly string[], file: string): string {
  if (texts.some((text) => text.startsWith('PAR1') || text.startsWith('\u001f'))) {
    return 'this is a binary file; NDJSON is expected, one JSON object a line, or a .gz of it'
  }
  const isJsonPart = (text: string) =>
    /^(?:[[{}\]],?|"[^"]*"\s*:.*|[}\]]+,?)$/.test(text.slice(0, 200))
  if (texts.some((text) => text.startsWith('[{')) || texts.some(isJsonPart)) {
    return (
      'this is a JSON array or JSON over several lines; one JSON object a line is expected; ' +
      `convert it: jq -c 'if type == "array" then .[] else . end' ${file} > events.ndjson`
    )
  }
  if ([',', ';', '\t'].some((separator) => isTable(texts, separator))) {
    return (
      'this is a CSV file; NDJSON is expected; convert it, with the names of your columns: ' +
      'duckdb -c "copy (select event_id, name, occurred_at, {user_id: user_id} as identifiers ' +
      `from read_csv('${file}', all_varchar = true)) to 'events.ndjson' (format json)"`
    )
  }
  return 'these lines are not JSON; one JSON object a line is expected'
}

/** Returns whether most lines have the same number of separators, and at least one. */
function isTable(texts: readonly string[], separator: string): boolean {
  const counts = texts.map((text) => text.split(separator).length - 1)
  const [most = 0] = counts.toSorted((a, b) => b - a)
  return most > 0 && 2 * counts.filter((count) => count === most).length > counts.length
}

function hasKey(objects: readonly { [key: string]: unknown }[], key: string): boolean {
  return objects.some((one) => key in one || key in Object(one['properties']))
}

function objectOf(text: string): { [key: string]: unknown }[] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? [value as { [key: string]: unknown }] : []
  } catch {
    return []
  }
}
