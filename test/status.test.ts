/** `npm run status`: limits decide the exit code, and what passes one is named. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
afterAll(() => rmSync(dir, { recursive: true }))

function run(script: string, args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', `scripts/${script}.ts`, '--warehouse', `duckdb:${dir}/w.duckdb`, ...args],
    { encoding: 'utf8', input },
  )
  return { status, stdout, stderr: stderr.trim() }
}

const LINE = JSON.stringify({
  event_id: 'e1',
  name: 'Product Added',
  occurred_at: '2026-03-01T10:00:00Z',
  identifiers: { user_id: 'u1' },
})

test('limits decide the exit code, and what passes one is named', () => {
  expect(run('start', ['-'], `${LINE}\nbroken\n`)).toMatchObject({ status: 0 })
  const healthy = run('status', ['--max-idle', '1h', '--max-dead-letters', '1'])
  expect(healthy).toMatchObject({ status: 0, stderr: '' })
  expect(healthy.stdout).toContain('journey checkout 1')
  expect(healthy.stdout).toContain('invalid_json 1')
  const unhealthy = run('status', ['--max-lag', '1m', '--max-dead-letters', '0', '--json'])
  expect(unhealthy).toMatchObject({ status: 1, stderr: 'error: unhealthy: lag, dead letters' })
  expect(JSON.parse(unhealthy.stdout)).toMatchObject({
    watermark: '2026-03-01T10:00:00.000000Z',
    figures: [
      { name: 'lag', isHealthy: false },
      { name: 'idle', isHealthy: true },
      { name: 'dead letters', value: 1, isHealthy: false },
      { name: 'late corrections', value: 0, isHealthy: true },
    ],
    batches: [{ batch: 1, landed_count: 1, rejected_count: 1 }],
  })
})

test('limits that are none are refused', () => {
  const { status, stderr } = run('status', ['--max-lag', 'soon'])
  expect({ status, stderr }).toMatchObject({ status: 2 })
  expect(stderr).toContain('--max-lag "soon" is no duration')
  expect(run('status', ['--max-dead-letters', '-3'])).toMatchObject({ status: 2 })
})
