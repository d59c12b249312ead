/**
 * Texts of a folder of `sql/`. A text that makes a view declares the relations it reads in its
 * header, one or more lines `-- Reads: a, b`. `test/warehouse/sql-files.test.ts` compares them with
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

/** Returns the texts of a folder by ascending name. */
export function sqlFiles(folder: 'views' | 'analysis' | 'checks'): SqlFile[] {
  const dir = new URL(`../../sql/${folder}/`, import.meta.url)
  return readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, dir), 'utf8').trim()
      return { name: file.slice(0, -'.sql'.length), text, reads: declaredReads(text) }
    })
}

function declaredReads(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(READS))
    .flatMap((line) => line.slice(READS.length).split(', '))
}
