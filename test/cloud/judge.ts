/** Google's analyzer as the judge of what goes over the wire. */

import type { Analyzer } from '../support/zetasql.ts'
import type { Proxy } from './proxy.ts'

/** The SQL of all jobs that went by, each once. */
export function sentThrough(proxy: Proxy): Set<string> {
  const sent = proxy.bodies
    .filter((body) => body.includes('"query":{'))
    .map((body) => JSON.parse(body) as { configuration: { query: { query: string } } })
    .map(({ configuration }) => configuration.query.query)
  return new Set(sent)
}

/** Statements of a script of ours, which ends each with `;` and a line break. */
const statementsOf = (script: string) =>
  script
    .replaceAll(/--.*$/gm, '')
    .split(/;\n/)
    .map((text) => text.replace(/;$/, '').trim())
const CONTROL = /^(declare|begin|commit|if) /
const CREATION =
  /^create (?:or replace )?(table function|table if not exists|temp table|view) `([^`]+)`(.*)$/s
/** The analyzer does not know table functions: it is given their results as relations. */
const withoutCalls = (sql: string) =>
  sql.replaceAll(/(_as_of`)\((believed_at|timestamp_micros\(\d+\)|timestamp '[^']*')\)/g, '$1')

/** Throws what the analyzer says against a text; relations that it makes are known from then on. */
export async function judge(analyzer: Analyzer, sql: string): Promise<void> {
  await analyzer.parse(sql)
  for (const statement of statementsOf(sql)) {
    if (CONTROL.test(statement)) continue
    const text = withoutCalls(statement.replaceAll(/\brun_id\b/g, '@run_id'))
    await analyzer.accept(text)
    const [, kind = '', name = '', rest = ''] = CREATION.exec(text) ?? []
    const short = name.split('.').at(-1) as string
    if (kind === 'table if not exists') await analyzer.addView(name, rowOf(rest), short)
    const query = rest.replace(/^\s*as\s/, '')
    if (kind === 'temp table') await analyzer.addView(name, query)
    if (kind === 'view') await analyzer.addView(name, query, short)
    if (kind === 'table function') {
      const body = rest.replace(/^\(believed_at timestamp\) as /, '')
      await analyzer.addView(name, body.replaceAll(/\bbelieved_at\b/g, '@believed_at'))
    }
  }
}

/** A query with the columns of a table, of its DDL. */
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
