/**
 * Progress of a long run: a bar on a terminal, otherwise a plain line now and then. The only file
 * that knows the progress bar library.
 */

import { Presets, SingleBar } from 'cli-progress'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { counted } from '../../pipeline/base/text.ts'
import type { RunReport } from '../../pipeline/run.ts'
import type { Chunk } from '../../pipeline/io/source.ts'

/** Shorter runs print no progress. */
const QUIET_MS = 1_000
const LINE_EVERY_MS = 5_000

export type Progress = {
  update(report: Done, chunk: Pick<Chunk, 'progress'>): void
  stop(): void
}

type Done = Pick<RunReport, 'read' | 'elapsedMs'>

export function startProgress(isTerminal: boolean): Progress {
  return isTerminal ? bar() : lines()
}

function bar(): Progress {
  let started: SingleBar | null = null
  return {
    update: (report, { progress }) => {
      if (report.elapsedMs < QUIET_MS) return
      const total = progress.total ?? 0
      if (started === null) {
        const unknown = '{events} events  {rate} events/s'
        const format = total > 0 ? `{bar} {percentage}%  ${unknown}  {left} left` : unknown
        started = new SingleBar({ format, hideCursor: true }, Presets.shades_classic)
        started.start(total, 0, { events: 0, rate: 0, left: '' })
      }
      const remainingMs = (report.elapsedMs * Math.max(0, total - progress.done)) / progress.done
      started.update(progress.done, {
        events: report.read,
        rate: rateOf(report),
        left: `${Math.ceil(remainingMs / 1_000)} s`,
      })
    },
    stop: () => {
      started?.stop()
      started = null
    },
  }
}

function lines(): Progress {
  let lastAt = elapsedMs()
  return {
    update: (report, { progress }) => {
      if (elapsedMs() - lastAt < LINE_EVERY_MS) return
      lastAt = elapsedMs()
      const share = progress.total === null ? '' : ` ${percent(progress.done, progress.total)}`
      process.stderr.write(`${counted(report.read, 'event')}${share}, ${rateOf(report)} events/s\n`)
    },
    stop: () => undefined,
  }
}

function rateOf(report: Done): number {
  return Math.round((report.read * 1_000) / Math.max(1, report.elapsedMs))
}

function percent(done: number, total: number): string {
  return `${Math.floor((100 * done) / Math.max(1, total))} %`
}
