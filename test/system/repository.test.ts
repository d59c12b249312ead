/** Repository rules that the linter cannot check: SQL files, unused sources, docs, lock file. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
const textOf = (name: string) => readFileSync(name, 'utf8')
const sources = ['pipeline', 'definitions', 'scripts', 'test']
  .flatMap(filesIn)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))

test('every SQL file starts with a comment and names its columns', () => {
  for (const name of filesIn('sql').filter((file) => file.endsWith('.sql'))) {
    expect(textOf(name), name).toMatch(/^-- /)
    expect(textOf(name), name).not.toMatch(/select\s+\*/)
  }
})

test('every source is imported by another file or is a program', () => {
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

test('the docs name every public view and only existing commands', () => {
  const docs = ['.', 'definitions', 'pipeline', 'pipeline/bigquery', 'scripts', 'sql', 'test']
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.md'))
    .map(textOf)
    .join('\n')
  for (const file of [...readdirSync('sql/views'), ...readdirSync('sql/analysis')]) {
    if (file.endsWith('.sql')) expect(docs).toContain(`\`${file.replace('.sql', '')}\``)
  }
  const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts)
  for (const [, command = ''] of docs.matchAll(/npm run ([a-z:-]+)/g)) {
    expect(scripts).toContain(command)
  }
})

test('every sample journey has a golden case or a test of its own', () => {
  const tests = sources
    .filter((name) => name.startsWith('test/'))
    .map(textOf)
    .join('\n')
  for (const file of readdirSync('definitions/journeys')) expect(tests).toContain(file)
})

test('commands run in one process, because the tsx program kills a busy one 60 ms after Ctrl-C', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: { [name: string]: string } }
  const programs = Object.values(scripts).filter((line) => line.includes('scripts/'))
  expect(programs.filter((line) => line.startsWith('tsx '))).toEqual([])
})

test('the lock file names no registry', () => {
  expect(textOf('package-lock.json')).not.toMatch(/"resolved":/)
})
