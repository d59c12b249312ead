/** Prometheus text exposition format, version 0.0.4. */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Metric with one value, or one per value of a label. Null values are left out. */
export type Metric = {
  name: string
  help: string
  type: 'counter' | 'gauge'
  value: number | null | { label: string; by: { [value: string]: number } }
}

export function expositionOf(metrics: readonly Metric[]): string {
  return metrics.map(({ value, ...head }) => `${headOf(head)}${linesOf(head.name, value)}`).join('')
}

function headOf({ name, help, type }: { name: string; help: string; type: string }): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

function linesOf(name: string, value: Metric['value']): string {
  if (value === null) return ''
  if (typeof value === 'number') return `${name} ${value}\n`
  const { label, by } = value
  return Object.entries(by)
    .map(([of, number]) => `${name}{${label}="${escaped(of)}"} ${number}\n`)
    .join('')
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** Histogram of durations, seconds. */
export class Histogram {
  readonly #name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(seconds: number): void {
    this.#sum += seconds
    this.#count += 1
    this.#bounds.forEach((bound, i) => {
      if (seconds <= bound) this.#counts[i] = (this.#counts[i] as number) + 1
    })
  }

  toString(): string {
    const name = this.#name
    return [
      headOf({ name, help: this.#help, type: 'histogram' }).trimEnd(),
      ...this.#bounds.map((bound, i) => `${name}_bucket{le="${bound}"} ${this.#counts[i]}`),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
      '',
    ].join('\n')
  }
}
