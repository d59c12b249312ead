/** Relations that a SQL text reads, found by DuckDB's parser. */

import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create(':memory:')).connect()

/** Returns the names in order, without the text's own steps. Throws if the text cannot be parsed. */
export async function readRelations(text: string): Promise<string[]> {
  const sql = 'select cast(json_serialize_sql(cast($1 as varchar)) as varchar)'
  const result = await connection.runAndReadAll(sql, [text])
  const tree = JSON.parse(String(result.value(0, 0))) as { error: boolean; error_message?: string }
  if (tree.error) throw new Error(tree.error_message)
  const read = new Set<string>()
  const steps = new Set<string>()
  walk(tree, (node) => {
    if (node['type'] === 'BASE_TABLE') read.add(String(node['table_name']))
    const own = node['cte_map'] as { map: { key: string }[] } | undefined
    for (const { key } of own?.map ?? []) steps.add(key)
  })
  return [...read].filter((name) => !steps.has(name)).sort()
}

function walk(value: unknown, visit: (node: { [key: string]: unknown }) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(value as { [key: string]: unknown })
  for (const part of Object.values(value)) walk(part, visit)
}
