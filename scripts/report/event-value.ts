/** A value of an event as SQL: the property that `--by` names. */

/** Returns the expression over `events`, as text; null where the event does not have it. `path` is
 * as in `path.ts`. The literal is that of the engine of the warehouse `url`. */
export function eventValue(path: string, url: string): string {
  const [column = '', ...members] = path.split('.')
  if (members.length === 0) return column
  const quoted = members.map((member) => `."${member.replaceAll(/["\\]/g, '\\$&')}"`)
  const literal = url.startsWith('bigquery:') ? backslashed : doubled
  // DuckDB quotes a text.
  return `trim(json_value(${column}, ${literal(`$${quoted.join('')}`)}), '"')`
}

/** A literal of DuckDB. */
const doubled = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A literal of BigQuery, which does not go over a line's end. */
const backslashed = (text: string): string =>
  `'${text.replaceAll(/['\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`
