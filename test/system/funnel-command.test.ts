/** `npm run funnel`: counts like released funnels, and reports invalid queries. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'
import { startCommands } from '../support/commands.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const path = join(dir, 'sample.duckdb')
const url = `duckdb:${path}`
const run = startCommands()
const ask = (...args: string[]) => run('funnel', ['--warehouse', url, ...args])

let released: Row[]
beforeAll(async () => {
  expect((await run('start', ['--warehouse', url])).status).toBe(0)
  const warehouse = duckdbWarehouse(path)
  await warehouse.open()
  released = await warehouse.query(
    'select * from funnel_steps where journey is null order by funnel, step_no',
  )
  await warehouse.close()
})
afterAll(() => rmSync(dir, { recursive: true }))

const answerOf = (text: string) => JSON.parse(text) as { steps: Row[]; groups: Row[] }

test.each(['first_purchase', 'email_return'])(
  '%s has the same counts as command and as released funnel',
  async (id) => {
    const { steps } = answerOf((await ask('--definition', id, '--json')).stdout)
    const expected = released
      .filter(({ funnel }) => funnel === id)
      .map((step): Row => ({ ...step, options: JSON.parse(String(step['options'])) }))
    expect(expected[0]?.['reached']).toBeGreaterThan(100)
    expect(steps).toEqual(expected)
  },
)

test('the groups of a breakdown add up to the whole, by source or by property', async () => {
  const question = ['--steps', 'Product Viewed, Order Completed', '--count', 'profiles', '--json']
  for (const by of ['source', 'properties.product']) {
    const { steps, groups } = answerOf((await ask(...question, '--by', by)).stdout)
    const sum = (name: string) => groups.reduce((total, group) => total + Number(group[name]), 0)
    expect(groups.length).toBeGreaterThan(2)
    expect(sum('entered')).toBe(steps[0]?.['reached'])
    expect(sum('converted')).toBe(steps[0]?.['converted'])
    expect(sum('pending')).toBe(steps[0]?.['pending'])
  }
})

test('a step without events is a warning beside the result', async () => {
  const { status, stdout, stderr } = await ask('--steps', 'Product Viewed, Bought', '--json')
  expect(status).toBe(0)
  expect(answerOf(stdout).steps[1]).toMatchObject({ reached: 0 })
  expect(stderr).toMatch(
    /^warning: no stored event is named 'Bought'; the names are: Product Viewed, .*Order Completed/,
  )
  const heard = await ask('--steps', 'Payment Failed, Signed Up', '--within', '1s')
  expect(heard).toMatchObject({ status: 0, stderr: '' })
})

test('reports an invalid query and exits with 2', async () => {
  const wrong = async (...args: string[]) => {
    const { status, stderr, stdout } = await ask(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    return stderr
  }
  expect(await wrong()).toBe("error: no steps are given: use --steps 'A, B, C' or --definition ID")
  expect(await wrong('--steps', 'A, B', '--order', 'loose')).toBe(
    'error: the funnel: order "loose" is unknown; write one of sequential, strict, any',
  )
  expect(await wrong('--steps', 'Product Viewed, Order Complted')).toMatch(
    /^error: no stored event is named 'Order Complted'; did you mean 'Order Completed'\? the names are: /,
  )
  expect(await wrong('--definition', 'lost')).toBe(
    `error: --definition lost is not live in duckdb:${path}; live funnels: email_return, ` +
      'first_purchase; to build it from the definitions: npm run replay -- --funnel lost ' +
      `--warehouse duckdb:${path}`,
  )
  expect(await wrong('--steps', 'A', '--by', 'plan')).toBe(
    `error: --by: "plan" is not a path into an event; write 'properties.plan' or 'context.plan'`,
  )
})
