/**
 * Follows the pages of the documentation: writes their files, runs their commands and queries, and
 * compares what is printed. `UPDATE_DOCS=1` writes what is printed into the pages instead.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { startCommands } from '../support/commands.ts'
import { isLong } from '../support/long.ts'
import { blocksOf, isShown, maskedLines, stepsOf, type Step } from './page.ts'
import { ask, makeCheckout, removeCheckout, runLine, writeFile } from './reader.ts'

const PAGES = [
  'README.md',
  'SECURITY.md',
  'scripts/README.md',
  'pipeline/bigquery/README.md',
  'pipeline/bigquery/COST.md',
  'definitions/README.md',
  'sql/README.md',
  'test/README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
]
/** Pages whose commands take about a minute together. */
const LONG_PAGES = ['SECURITY.md', 'scripts/README.md']
const isUpdating = process.env['UPDATE_DOCS'] !== undefined

/** The page with what was printed in the place of what it showed. */
function corrected(page: string, wrong: { line: number; shown: string; text: string }[]): string {
  const lines = page.split('\n')
  for (const { line, shown, text } of wrong.toReversed()) {
    const printed = text === '' ? [] : text.trimEnd().split('\n')
    lines.splice(line, shown.split('\n').length - 1, ...printed)
  }
  return lines.join('\n')
}

/** A query above all commands is asked after them: the page begins with what it leads to. */
function inOrder(steps: Step[]): Step[] {
  const first = steps.findIndex(({ kind }) => kind === 'command')
  const isEarly = (step: Step, i: number) => step.kind === 'query' && i < first
  return [...steps.filter((step, i) => !isEarly(step, i)), ...steps.filter(isEarly)]
}

describe.each(PAGES)('%s', (path) => {
  const dir = makeCheckout()
  const run = startCommands({ cwd: dir })

  const isFollowed = isLong || isUpdating || !LONG_PAGES.includes(path)

  test.skipIf(!isFollowed)(
    'shows what its commands print',
    async () => {
      const page = readFileSync(path, 'utf8')
      const wrong: { line: number; shown: string; text: string }[] = []
      for (const step of inOrder(stepsOf(page))) {
        if (step.kind === 'file') {
          writeFile(dir, step.path, step.text)
          continue
        }
        const text =
          step.kind === 'command'
            ? await runLine(dir, step.command, run)
            : await ask(dir, step.warehouse, step.sql)
        const { line, shown } = step
        if (!isShown(maskedLines(shown), maskedLines(text))) wrong.push({ line, shown, text })
      }
      wrong.sort((one, other) => one.line - other.line)
      removeCheckout(dir)
      if (isUpdating) writeFileSync(path, corrected(page, wrong))
      else for (const { line, shown, text } of wrong) expect(text, `${path}:${line}`).toBe(shown)
    },
    240_000,
  )

  test('links to files that exist', () => {
    const page = readFileSync(path, 'utf8')
    const base = new URL(path, 'file:///')
    for (const [, target = ''] of page.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      const file = new URL(target, base).pathname.slice(1)
      expect(() => readFileSync(file), `${path} links to ${target}`).not.toThrow(/ENOENT/)
    }
  })
})

test('the reference of commands has the help of every command', async () => {
  const reference = readFileSync('scripts/README.md', 'utf8')
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { [name: string]: string }
  }
  const commands = Object.keys(scripts).filter((name) =>
    / scripts\/\S+\.ts$/.test(scripts[name] ?? ''),
  )
  for (const name of commands) {
    const line = `$ npm ${name === 'start' ? '' : 'run '}${name} -- `
    expect(reference).toContain(`${line}--help\n`)
    const help = reference.slice(reference.indexOf(`${line}--help`)).split('```')[0] ?? ''
    for (const [, verb = ''] of (help.split('\nCommands:\n')[1] ?? '').matchAll(/^  ([a-z]+) /gm)) {
      if (verb !== 'help') expect(reference).toContain(`${line}${verb} --help\n`)
    }
  }
})

test('refuses a block that nothing would run', () => {
  expect(() => stepsOf('```\nnpm start\n```')).toThrow('line 1: write one of console')
  expect(() => stepsOf('```text\nnpm start\n```')).toThrow('a command stands in a text block')
  expect(() => stepsOf('```sql\nselect 1\n```')).toThrow('a rows block must follow')
  expect(() => stepsOf('```console not-run=lazy\n$ npm start\n```')).toThrow('not-run is one of')
  expect(stepsOf('```console not-run=cloud\n$ npm start\n```')).toEqual([])
  expect(blocksOf('```ts file=a.ts\nx\n```')[0]).toMatchObject({
    tags: { file: 'a.ts' },
    text: 'x\n',
  })
})

test('compares output except for durations, rates and what … stands for', () => {
  const isSame = (shown: string, printed: string) =>
    isShown(maskedLines(shown), maskedLines(printed))
  expect(isSame('read in 1.1 s (18,793/s)\n', 'read in 22.0 s (93/s)\n')).toBe(true)
  expect(isSame('a\n…\nd', 'a\nb\nc\nd\n')).toBe(true)
  expect(isSame('a\n…', 'a\n')).toBe(true)
  expect(isSame('begins…', 'begins and goes on')).toBe(true)
  expect(isSame('721 people', '722 people')).toBe(false)
  expect(isSame('a\n…\nd', 'a\nb\nc\n')).toBe(false)
})
