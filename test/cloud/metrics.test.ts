/** The worker's metrics equal those of `npm run status` for the same warehouse. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatInstant, SECOND } from '../../pipeline/base/clock.ts'
import { Shop } from '../../scripts/sample/shop.ts'
import { PubsubEmulator, pubsubEmulator } from '../../scripts/emulators/pubsub-emulator.ts'
import { hasDone, WorkerProcess } from '../../scripts/emulators/worker-process.ts'

const SLOWLY = 300_000
const jar = pubsubEmulator()
const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const warehouse = ['--warehouse', `duckdb:${dir}/w.duckdb`]
const LIMITS = ['--max-dead-letters', '3', '--max-lag', '1d']

function status(...args: string[]) {
  const program = ['--import', 'tsx', 'scripts/status.ts', ...warehouse, ...args]
  const {
    status: code,
    stdout,
    stderr,
  } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
  })
  return { code, stdout, stderr }
}

/** Parses `name{label="value"} number`; fails for any other line that is not a comment. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.trimEnd().split('\n')) {
    if (line === '' || /^# (HELP|TYPE) desire_path_\w+ \S/.test(line)) continue
    const [, name = '', value] = /^(\w+(?:\{\w+="[^"]*"\})?) (\d\S*)$/.exec(line) ?? []
    expect({ line, name }).not.toEqual({ line, name: '' })
    samples.set(name, Number(value))
  }
  return samples
}

/** Returns the samples of one metric by label. */
function labelled(samples: Map<string, number>, metric: string): { [value: string]: number } {
  const found = [...samples].flatMap(([name, value]) => {
    const [, label] = new RegExp(`^desire_path_${metric}\\{\\w+="(.*)"\\}$`).exec(name) ?? []
    return label === undefined ? [] : [[label, value] as const]
  })
  return Object.fromEntries(found)
}

describe.skipIf(jar === null)('the metrics of the worker', () => {
  let emulator: PubsubEmulator

  beforeAll(async () => {
    emulator = await PubsubEmulator.start(jar as string)
  }, SLOWLY)
  afterAll(async () => {
    await emulator?.stop()
    rmSync(dir, { recursive: true })
  })

  test(
    'equal the numbers of status, and /healthz returns its verdict',
    { timeout: SLOWLY },
    async () => {
      const { topic, url } = await emulator.topic()
      const args = ['--source', url, '--metrics', '0', '--batch-size', '300', ...warehouse]
      const worker = new WorkerProcess([...args, ...LIMITS], emulator.env)
      await worker.until(({ message }) => message === 'started')
      const [started] = worker.said
      expect(started).toMatchObject({ severity: 'INFO', time: expect.stringMatching(/^2.*Z$/) })
      const base = started?.['listening'] as string
      const told = async (path: string) => {
        const response = await fetch(`${base}${path}`)
        return { code: response.status, text: await response.text() }
      }
      expect(await told('/healthz')).toEqual({ code: 200, text: '{"unhealthy":[]}\n' })
      expect(samplesOf((await told('/metrics')).text).get('desire_path_batches_total')).toBe(0)
      expect(await told('/other')).toMatchObject({ code: 404 })

      const lines = [...new Shop(5).lines(600), 'broken', '{}', '[1]', '"x"']
      await Promise.all(lines.map((line) => topic.publishMessage({ data: Buffer.from(line) })))
      // The worker answers while it is busy.
      await worker.until(({ batches }) => batches === 1)
      expect(await told('/metrics')).toMatchObject({ code: 200 })
      await worker.until(hasDone(550))
      await worker.until(({ read }) => Number(read) >= lines.length)
      const samples = samplesOf((await told('/metrics')).text)
      const health = await told('/healthz')
      worker.kill('SIGTERM')
      expect(await worker.end()).toEqual({ code: 0, complaints: '' })

      const { code, stdout, stderr } = status('--json', ...LIMITS)
      const expected = JSON.parse(stdout) as { [name: string]: unknown } & { lag_ms: number }
      const now = (name: string) => samples.get(`desire_path_${name}`)
      expect(now('batches_total')).toBe(expected['batches'])
      expect(now('in_flight_messages')).toBe(0)
      expect(now('commit_seconds_count')).toBe(expected['batches'])
      expect(now('commit_seconds_bucket{le="+Inf"}')).toBe(expected['batches'])
      const watermark = (now('watermark_timestamp_seconds') as number) * SECOND
      expect(formatInstant(watermark)).toBe(expected['watermark'])
      expect(Math.abs((now('lag_seconds') as number) - expected.lag_ms / 1_000)).toBeLessThan(60)
      expect(labelled(samples, 'events_total')).toEqual(expected['events'])
      expect(labelled(samples, 'dead_letters')).toEqual(expected['dead_letters'])
      expect(labelled(samples, 'late_corrections')).toEqual(expected['corrections'])
      expect(expected['corrections']).not.toEqual({})
      expect(labelled(samples, 'live_version')).toEqual(expected['live'])
      expect(now('healthy')).toBe(0)
      const { unhealthy } = JSON.parse(health.text) as { unhealthy: string[] }
      expect(health.code).toBe(503)
      expect(unhealthy).toEqual(expected['unhealthy'])
      expect({ code, stderr: stderr.trim() }).toEqual({
        code: 1,
        stderr: `error: unhealthy: ${unhealthy.join('; ')}`,
      })
    },
  )
})
