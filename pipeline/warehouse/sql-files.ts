/**
 * Texts of a folder of `sql/`. A text that makes a view declares the relations it reads in its
 * header, one or more lines `-- Reads: a, b`. Columns that several texts have are in `sql/includes`. `test/warehouse/sql-files.test.ts` compares them with
 * what DuckDB's parser finds.
 */

import { readdirSync, readFileSync } from 'node:fs'

export type SqlFile = {
  name: string
  text: string
  /** Relations that the text reads, without its own steps. */
  reads: readonly string[]
}

const READS = '-- Reads: '
const INCLUDE = '-- Include: '

/** Returns the texts of a folder by ascending name. */
export function sqlFiles(folder: 'views' | 'analysis' | 'checks'): SqlFile[] {
  const dir = new URL(`../../sql/${folder}/`, import.meta.url)
  return readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = withIncludes(readFileSync(new URL(file, dir), 'utf8').trim())
      return { name: file.slice(0, -'.sql'.length), text, reads: declaredReads(text) }
    })
}

/** Puts the columns of `sql/includes/NAME.sql` in place of a line `-- Include: NAME`. */
function withIncludes(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.trimStart().startsWith(INCLUDE) ? included(line.trim()) : line))
    .join('\n')
}

function included(line: string): string {
  const file = new URL(`../../sql/includes/${line.slice(INCLUDE.length)}.sql`, import.meta.url)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.filter((one) => !one.startsWith('--')).join('\n')
}

function declaredReads(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(READS))
    .flatMap((line) => line.slice(READS.length).split(', '))
}
