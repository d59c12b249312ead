/**
 * BigQuery emulator from `.peers/`, started by `bigquery-emulator.py`. Without it, prints one line and
 * the caller skips its tests; with REQUIRE_EMULATORS=1 it is an error.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Place } from '../../pipeline/bigquery/client.ts'
import { freePort } from './free-port.ts'

const DIR = resolve('.peers/bigquery')
const START = resolve('scripts/emulators/bigquery-emulator.py')
const HOST = '127.0.0.1'
const PROJECT = 'p1'
const TRIES = 240
const TRY_MS = 250

export type Emulator = { place(dataset: string): Place; url: string; stop(): Promise<void> }

/** Returns null if the emulator is not installed and not required. With a folder, it keeps its data
 * there across restarts. */
export async function startBigQuery(keptIn?: string): Promise<Emulator | null> {
  const python = resolve(DIR, 'bin/python')
  if (!existsSync(python)) {
    if (process.env['REQUIRE_EMULATORS'] === '1') {
      throw new Error('the BigQuery emulator is not installed: run npm run peers')
    }
    console.log('skipped: the BigQuery emulator is not installed; npm run peers installs it')
    return null
  }
  const [restPort, grpcPort] = [await freePort(), await freePort()]
  const options = {
    '--rest-host': HOST,
    '--rest-port': restPort,
    '--grpc-host': HOST,
    '--grpc-port': grpcPort,
    '--project': PROJECT,
    '--log-level': 'critical',
  }
  const flags = Object.entries(options).flat().map(String)
  const kept = keptIn === undefined ? ['--ephemeral'] : ['--persistent', '--data-dir', keptIn]
  const child = spawn(python, [START, 'start', ...kept, ...flags], {
    stdio: 'ignore',
    env: {
      ...process.env,
      HOME: resolve(DIR, 'home'),
      BQEMU_METRICS_ENABLED: 'false',
      BQEMU_TIME_TRAVEL_RETENTION_DAYS: '0',
    },
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  for (let tries = 0; !(await isReady(restPort)); tries++) {
    if (tries === TRIES || child.exitCode !== null) throw new Error('the emulator does not start')
    await pause(TRY_MS)
  }
  return {
    url: `http://${HOST}:${restPort}`,
    place: (dataset) => ({
      project: PROJECT,
      dataset,
      emulator: { host: HOST, restPort, grpcPort },
    }),
    stop: async () => {
      process.removeListener('exit', end)
      const ended = once(child, 'exit')
      child.kill(keptIn === undefined ? 'SIGKILL' : 'SIGTERM')
      await ended
    },
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://${HOST}:${port}/healthz`)).ok
  } catch {
    return false
  }
}
