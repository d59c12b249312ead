/** The house style that a program can hold: sizes, headers, banned words, who imports what. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const FOLDERS = ['pipeline', 'definitions', 'scripts', 'test', 'sql']
const LINES_MAX = 420

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
).filter((name) => /\.(ts|sql)$/.test(name))
const textOf = (name: string) => readFileSync(name, 'utf8')
const sources = files.filter((name) => name.endsWith('.ts'))
const self = 'test/system/tidy.test.ts'

/** Each outside library, and the files that may know it. */
const OWNERS: { [library: string]: RegExp } = {
  'apache-arrow':
    /^(pipeline\/warehouse\/arrow(-file|-wire)?\.ts|test\/scripts\/export\.test\.ts)$/,
  '@duckdb/node-api': /^(pipeline\/duckdb\/|scripts\/bench\/)/,
  '@duckdb/node-bindings': /^pipeline\/duckdb\/append\.ts$/,
  '@google-cloud/bigquery': /^(pipeline\/bigquery\/client|scripts\/test-gcp)\.ts$/,
  '@google-cloud/bigquery-storage': /^pipeline\/bigquery\/write-stream\.ts$/,
  '@google-cloud/functions-framework': /^pipeline\/functions\.ts$/,
  '@google-cloud/pubsub': /^(pipeline\/io\/pubsub|test\/cloud\/)/,
  zod: /^(definitions|test)\//,
  commander: /^scripts\/cli\/command\.ts$/,
  'cli-progress': /^scripts\/cli\/progress\.ts$/,
  picocolors: /^scripts\/(cli\/screen|funnel)\.ts$/,
  xstate: /^(scripts\/bench\/|test\/)/,
  '@dagrejs/dagre': /^scripts\/report\/client\/layout\.ts$/,
  'd3-scale': /^scripts\/report\/client\//,
  'd3-shape': /^scripts\/report\/client\//,
  esbuild: /^(scripts\/(package|cli\/page)\.ts|test\/stages\/core-size\.test\.ts)$/,
  pino: /^pipeline\/base\/log\.ts$/,
  'playwright-core': /^test\/(support\/browser|scripts\/(report|explain)-page\.test)\.ts$/,
}

describe.each(files)('%s', (name) => {
  const text = textOf(name)
  const lines = text.split('\n')

  test('is short enough to read', () => {
    expect(lines.length).toBeLessThanOrEqual(LINES_MAX)
  })

  test('says first what it is', () => {
    expect(text).toMatch(name.endsWith('.sql') ? /^-- / : /^\/\*\*/)
  })

  test('uses no banned words', () => {
    if (name === self) return
    expect(text).not.toMatch(/\bTODO\b|\bFIXME\b|[:<] ?any[;,)>\]]|as any\b|^enum /m)
    if (name === 'pipeline/base/clock.ts' || name === 'test/stages/core-size.test.ts') return
    expect(text).not.toMatch(/\bDate\.now\(|\bnew Date\(|\bMath\.random\(/)
    if (name.endsWith('.sql')) expect(text).not.toMatch(/select\s+\*/)
  })
})

test.each(sources)('%s imports only the libraries it owns', (name) => {
  const imports = textOf(name).matchAll(/^import (?!type).*?from '([^.][^']*)'/gms)
  for (const [, library = ''] of imports) {
    const owner = OWNERS[library]
    if (owner !== undefined) expect(name).toMatch(owner)
  }
})

test('every source is imported by another, or is a program', () => {
  const all = sources.map((name) => textOf(name)).join('\n')
  const programs = textOf('package.json') + textOf('vitest.config.ts')
  const orphans = sources.filter((name) => {
    const base = name.split('/').at(-1) as string
    const isProgram = programs.includes(name) || name.endsWith('.test.ts')
    const isDefinition = /^(definitions|test\/golden)\//.test(name)
    return !isProgram && !isDefinition && !all.includes(`/${base}'`)
  })
  expect(orphans).toEqual([])
})

test('the README names every public view, and only commands there are', () => {
  const readme = textOf('README.md')
  for (const file of [...readdirSync('sql/views'), ...readdirSync('sql/analysis')]) {
    expect(readme).toContain(`\`${file.replace('.sql', '')}\``)
  }
  const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts)
  for (const [, command = ''] of readme.matchAll(/npm run ([a-z:-]+)/g)) {
    expect(scripts).toContain(command)
  }
})

test('every journey has a golden case or a history of its own', () => {
  const tests = sources
    .filter((name) => name.startsWith('test/'))
    .map(textOf)
    .join('\n')
  for (const file of readdirSync('definitions/journeys')) expect(tests).toContain(file)
})

test('the lock file names no registry', () => {
  expect(textOf('package-lock.json')).not.toMatch(/"resolved":/)
})
