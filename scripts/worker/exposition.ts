/** Metrics in the text exposition format of Prometheus, version 0.0.4, written by prom-client. */

import { Counter, Gauge, Registry, type Histogram } from 'prom-client'

export const EXPOSITION_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** One number, or one per value of a label. A metric without a value is left out. */
export type Metric = {
  name: string
  help: string
  type: 'counter' | 'gauge'
  value: number | null | { label: string; by: { [value: string]: number } }
}

/** Returns the text of metrics that were read, and of histograms that the process keeps. */
export function expositionOf(
  metrics: readonly Metric[],
  histograms: readonly Histogram[],
): Promise<string> {
  const registry = new Registry()
  for (const { name, help, type, value } of metrics) {
    if (value === null) continue
    const labelNames = typeof value === 'number' ? [] : [value.label]
    const Kind = type === 'counter' ? Counter : Gauge
    const metric = new Kind({ name, help, labelNames, registers: [registry] })
    if (typeof value === 'number') metric.inc(value)
    else Object.entries(value.by).forEach(([of, n]) => metric.inc({ [value.label]: of }, n))
  }
  for (const histogram of histograms) registry.registerMetric(histogram)
  return registry.metrics()
}
