/** Loading definitions from any folder. Load errors name the line to write. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startCommands } from '../support/commands.ts'

const root = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(root, { recursive: true }))
const run = startCommands()
let folders = 0

function folder(files: { [file: string]: string }): string {
  const dir = join(root, String(folders++))
  for (const [file, text] of Object.entries(files)) {
    const path = join(dir, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return dir
}

const describeWalk = (dir: string) => run('describe', ['--journey', 'walk', '--definitions', dir])
const WALK = `{ id: 'walk', version: 1, initial: 'a',
  states: { a: { on: { Go: 'b' } }, b: { type: 'final' } } }`

/** Returns the import line of a definer as a file of the folder writes it. */
function importLine(dir: string, name: string, file: string, module: string): string {
  const from = relative(dirname(join(dir, file)), resolve('pipeline/definition', module))
  return `import { ${name} } from '${from}'`
}

test('loads a folder elsewhere, with plain objects or with the imports that errors name', async () => {
  const plain = folder({ 'journeys/walk.ts': `export default ${WALK}` })
  expect(await describeWalk(plain)).toMatchObject({ status: 0, stderr: '' })
  const dir = folder({})
  const defined = folder({
    'events.ts': `${importLine(dir, 'z', 'events.ts', 'events.ts')}
      ${importLine(dir, 'defineEvents', 'events.ts', 'events.ts')}
      export default defineEvents({ events: { Go: z.object({}) } })`,
    'journeys/walk.ts': `${importLine(dir, 'defineJourney', 'journeys/walk.ts', 'define.ts')}
      export default defineJourney(${WALK})`,
  })
  expect(await describeWalk(defined)).toMatchObject({ status: 0, stderr: '' })
})

test('names the export to write if the default export is missing', async () => {
  const dir = folder({ 'journeys/walk.ts': `export const walk = ${WALK}` })
  expect(await describeWalk(dir)).toMatchObject({
    status: 1,
    stderr: `error: ${dir}/journeys/walk.ts has no default export; write: export default defineJourney({ … })`,
  })
  const events = folder({ 'events.ts': 'export const events = {}' })
  expect((await describeWalk(events)).stderr).toContain('export default defineEvents({ … })')
})

test.each<[what: string, file: string, text: string, name: string, module: string]>([
  [
    'a definer without an import',
    'journeys/walk.ts',
    `export default defineJourney(${WALK})`,
    'defineJourney',
    'define.ts',
  ],
  [
    'an import of a definer that does not resolve',
    'journeys/walk.ts',
    `import { defineJourney } from '../../pipeline/definition/define.ts'
     export default defineJourney(${WALK})`,
    'defineJourney',
    'define.ts',
  ],
  [
    'an import of zod that does not resolve',
    'events.ts',
    `import { z } from 'zod'
     export default { events: { Go: z.object({}) } }`,
    'z',
    'events.ts',
  ],
])('names the import to write for %s', async (_what, file, text, name, module) => {
  const dir = folder({ [file]: text })
  const { status, stderr } = await describeWalk(dir)
  expect(status).toBe(1)
  expect(stderr).toContain(`error: ${dir}/${file} cannot be loaded: `)
  expect(stderr).toContain(`write in ${dir}/${file}: ${importLine(dir, name, file, module)}`)
})

test('fails on a misspelt event, and warns of one unlike any other', async () => {
  const walk = (event: string) =>
    folder({
      'events.ts': "export default { events: { 'Order Completed': null } }",
      'journeys/walk.ts': `export default ${WALK.replace('Go', `'${event}'`)}`,
    })
  const slip = await describeWalk(walk('Order Complted'))
  expect(slip.status).toBe(1)
  expect(slip.stderr).toContain("did you mean 'Order Completed'?")
  const other = await describeWalk(walk('Ticket Opened'))
  expect(other.status).toBe(0)
  expect(other.stderr).toMatch(/^warning: journeys\/walk.ts: state a: on: event 'Ticket Opened'/)
})
