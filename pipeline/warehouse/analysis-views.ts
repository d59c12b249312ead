/**
 * The analysis views of `sql/analysis/`: their texts, what each reads, and an order in which they
 * can be made. A text reads relations by `from` and `join`; nothing else names them, so what a view
 * depends on is in its text and is declared nowhere.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { assert } from '../base/errors.ts'

const DIR = new URL('../../sql/analysis/', import.meta.url)

export type AnalysisView = {
  name: string
  text: string
  /** Relations the text reads, by name; its own steps are left out. */
  reads: readonly string[]
}

/** All of them, each after those it reads. */
export function analysisViews(): AnalysisView[] {
  const waiting = readdirSync(DIR)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file): AnalysisView => {
      const text = readFileSync(new URL(file, DIR), 'utf8').trim()
      return { name: file.slice(0, -'.sql'.length), text, reads: readsOf(text) }
    })
  const names = new Set(waiting.map(({ name }) => name))
  const made: AnalysisView[] = []
  const isMade = (name: string) => !names.has(name) || made.some((view) => view.name === name)
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ reads }) => reads.every(isMade))
    assert(next >= 0, `analysis views read one another in a circle: ${[...names].join(', ')}`)
    made.push(...waiting.splice(next, 1))
  }
  return made
}

/** Relations a text reads, by name; its own steps are left out. */
export function readsOf(text: string): string[] {
  const code = text
    .split('\n')
    .map((line) => line.split('--', 1)[0])
    .join('\n')
  const steps = new Set(
    [...code.matchAll(/\b(\w{1,64}) as \(\s{0,64}select/g)].map(([, step]) => step),
  )
  const named = [...code.matchAll(/\b(?:from|join)\s{1,64}(\w+)/g)].map(([, name = '']) => name)
  return [...new Set(named)].filter((name) => !steps.has(name)).sort()
}
