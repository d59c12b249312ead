/** Prints a funnel as bars, with conversion over matured entries and the number still pending. */

import type pc from 'picocolors'
import { printable } from '../../pipeline/base/text.ts'
import type { Row } from '../../pipeline/warehouse/warehouse.ts'

const BAR = 30

export type Paint = ReturnType<typeof pc.createColors>

export const grouped = (count: unknown): string => Number(count).toLocaleString('en-US')

/**
 * Returns one line per step, then the conversion and the options. `steps` are the rows of
 * `funnel_steps` in order, `conversion` is the row of `funnel_conversion`. The rate of a step is over
 * the matured units that reached the previous step.
 */
export function funnelLines(steps: readonly Row[], conversion: Row, paint: Paint): string[] {
  const first = steps[0]
  if (first === undefined) return []
  const entered = Number(first['reached'])
  const label = Math.max(...steps.map((step) => nameOf(step).length))
  const lines = steps.map((step) => {
    const reached = Number(step['reached'])
    const bar = '█'.repeat(Math.round((BAR * reached) / Math.max(entered, 1))).padEnd(BAR, '·')
    const typical = step['median_since_previous_ms']
    const rate = step['matured_rate']
    const further = [
      ...(rate === null ? [] : [`${percent(Number(rate), 1)} of the step before`]),
      ...(typical === null ? [] : [`in ${duration(Number(typical))}`]),
    ].join(', ')
    const numbers = `${grouped(reached).padStart(9)} ${percent(reached, entered).padStart(6)}`
    return `${nameOf(step).padEnd(label)} ${paint.cyan(bar)}${numbers}  ${further}`.trimEnd()
  })
  const unit = String(first['count_by'])
  const whole = `${maturedText(conversion, unit)}; ${grouped(conversion['pending'])} pending`
  return [...lines, whole, ...legend(conversion), optionsText(first['options'])]
}

/** Explains the terms of the line above it; a funnel without a window does not use them. */
function legend({ matured_count: matured, options }: Row): string[] {
  if (matured === null) return []
  const { within } = JSON.parse(String(options)) as { within?: string }
  return [`matured: entered at least ${within} before the watermark; pending: window still open`]
}

/** Returns how many of the matured `units` converted, with the confidence interval, as text. */
export function maturedText(row: Row, units: string): string {
  if (row['matured_count'] === null) {
    return `${grouped(row['converted'])} ${units} converted; no rate without a window`
  }
  if (row['matured_rate'] === null) return `no ${units} are matured yet`
  const [rate, low, high] = ['matured_rate', 'matured_rate_low', 'matured_rate_high'].map((name) =>
    percent(Number(row[name]), 1),
  )
  return (
    `${rate} of ${grouped(row['matured_count'])} matured ${units} converted ` +
    `(95 % interval ${low} to ${high})`
  )
}

function nameOf(step: Row): string {
  return printable(String(step['step'] ?? `any step, ${String(step['step_no'])}`))
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`
}

/** Returns the options of a funnel as text. */
export function optionsText(options: unknown): string {
  const entries = Object.entries(JSON.parse(String(options)) as { [option: string]: unknown })
  const texts = entries
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return printable(texts.join(', '))
}

export function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`
}
