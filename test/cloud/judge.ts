/** Google's analyzer, applied to everything that is sent. */

import type { Analyzer } from '../support/zetasql.ts'
import type { Proxy } from './proxy.ts'

/** Returns the SQL of all jobs that passed, without repetitions. */
export function sentThrough(proxy: Proxy): Set<string> {
  const sent = proxy.bodies
    .filter((body) => body.includes('"query":{'))
    .map((body) => JSON.parse(body) as { configuration: { query: { query: string } } })
    .map(({ configuration }) => configuration.query.query)
  return new Set(sent)
}

/** Splits a script; each statement ends with `;` and a line break. */
const statementsOf = (script: string) =>
  script
    .replaceAll(/--.*$/gm, '')
    .split(/;\n/)
    .map((text) => text.replace(/;$/, '').trim())
const CONTROL = /^(declare|begin|commit|if) /
const CREATION =
  /^create (?:or replace )?(table function|table if not exists|temp table|view) `([^`]+)`(.*)$/s
/** The analyzer has no table functions, so their results are passed as relations. */
const withoutCalls = (sql: string) =>
  sql.replaceAll(/(_as_of`)\((believed_at|timestamp_micros\(\d+\)|timestamp '[^']*')\)/g, '$1')

/** The analyzer parses descriptions of a view's columns, and supports none. */
const withoutDescriptions = (sql: string) =>
  sql.replaceAll(/ options \(description = "(?:[^"\\]|\\.)*"\)/g, '')

/** The analyzer reads named parameters alone. */
function withNamed(sql: string): string {
  let count = 0
  return sql.replaceAll('?', () => `@p${(count += 1)}`)
}

/** Throws the analyzer's message for a text. Relations that the text creates are known afterwards. */
export async function judge(analyzer: Analyzer, sql: string): Promise<void> {
  await analyzer.parse(sql)
  for (const statement of statementsOf(sql)) {
    if (CONTROL.test(statement)) continue
    const text = withoutCalls(
      withNamed(withoutDescriptions(statement)).replaceAll(/\brun_id\b/g, '@run_id'),
    )
    await analyzer.accept(text)
    const [, kind = '', name = '', rest = ''] = CREATION.exec(text) ?? []
    const short = name.split('.').at(-1) as string
    if (kind === 'table if not exists') await analyzer.addView(name, rowOf(rest), short)
    const query = rest.replace(/^(?: \([^)]*\))?\s*as\s/, '')
    if (kind === 'temp table') await analyzer.addView(name, query)
    if (kind === 'view') await analyzer.addView(name, query, short)
    if (kind === 'table function') {
      const body = rest.replace(/^\(believed_at timestamp\) as /, '')
      await analyzer.addView(name, body.replaceAll(/\bbelieved_at\b/g, '@believed_at'))
    }
  }
}

/** Returns a query with the columns of a table, from its DDL. */
function rowOf(ddl: string): string {
  const [, query] = /^ as (.*)$/s.exec(ddl) ?? []
  if (query !== undefined) return query
  const [, list = ''] = /^ \((.*?)\)(?: partition| cluster| options|$)/s.exec(ddl) ?? []
  const columns = list.split(', ').map((column) => {
    const [name, type] = column.split(' ')
    return `cast(null as ${type}) as ${name}`
  })
  return `select ${columns.join(', ')}`
}
