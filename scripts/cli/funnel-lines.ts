/** A funnel's steps as lines of a terminal: bars, and what is pending apart from what is lost. */

import type pc from 'picocolors'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'

const BAR = 30

export type Paint = ReturnType<typeof pc.createColors>

export const grouped = (count: unknown): string => Number(count).toLocaleString('en-US')

/** Rows of `funnel_steps` of one funnel, by step: a line each, and one for the whole. */
export function funnelLines(steps: readonly Row[], paint: Paint): string[] {
  const first = steps[0]
  if (first === undefined) return []
  const entered = Number(first['reached'])
  const label = Math.max(...steps.map((step) => nameOf(step).length))
  const lines = steps.map((step, i) => {
    const reached = Number(step['reached'])
    const bar = '█'.repeat(Math.round((BAR * reached) / Math.max(entered, 1))).padEnd(BAR, '·')
    const before = i === 0 ? 0 : Number(steps[i - 1]?.['reached'])
    const typical = step['median_since_previous_ms']
    const since = typical === null ? '' : `, in ${duration(Number(typical))}`
    const further = before === 0 ? '' : `${percent(reached, before)} of the step before${since}`
    const numbers = `${grouped(reached).padStart(9)} ${percent(reached, entered).padStart(6)}`
    return `${nameOf(step).padEnd(label)} ${paint.cyan(bar)}${numbers}  ${further}`.trimEnd()
  })
  const [converted, dropped, pending] = ['converted', 'dropped', 'pending'].map((outcome) =>
    Number(first[outcome]),
  ) as [number, number, number]
  const decided = converted + dropped
  return [
    ...lines,
    `of ${grouped(decided)} decided ${String(first['count_by'])} ${grouped(converted)} converted ` +
      `(${percent(converted, decided)}); ${grouped(pending)} pending`,
    optionsText(first['options']),
  ]
}

function nameOf(step: Row): string {
  return String(step['step'] ?? `any step, ${String(step['step_no'])}`)
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`
}

/** The options in force, in words. */
export function optionsText(options: unknown): string {
  const entries = Object.entries(JSON.parse(String(options)) as { [option: string]: unknown })
  return entries
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

export function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`
}
