/** Text of the metrics, as Prometheus reads it. */

import { Histogram } from 'prom-client'
import { expect, test } from 'vitest'
import { expositionOf, type Metric } from '../../scripts/worker/exposition.ts'

const metric = (name: string, type: Metric['type'], value: Metric['value']): Metric => {
  return { name, help: `About ${name}.`, type, value }
}

test('writes numbers, labels and histograms, and leaves out metrics without a value', async () => {
  const histogram = new Histogram({ name: 'took', help: 'Time.', buckets: [1, 2], registers: [] })
  histogram.observe(1.5)
  histogram.observe(9)
  const metrics = [
    metric('unknown', 'gauge', null),
    metric('none_total', 'counter', 0),
    metric('lag', 'gauge', -2.5),
    metric('events_total', 'counter', { label: 'outcome', by: { landed: 3, 'a"b\\c\nd': 1 } }),
  ]
  const text = await expositionOf(metrics, [histogram])
  expect(text.split('\n').filter((line) => line !== '')).toEqual([
    '# HELP none_total About none_total.',
    '# TYPE none_total counter',
    'none_total 0',
    '# HELP lag About lag.',
    '# TYPE lag gauge',
    'lag -2.5',
    '# HELP events_total About events_total.',
    '# TYPE events_total counter',
    'events_total{outcome="landed"} 3',
    'events_total{outcome="a\\"b\\\\c\\nd"} 1',
    '# HELP took Time.',
    '# TYPE took histogram',
    'took_bucket{le="1"} 0',
    'took_bucket{le="2"} 1',
    'took_bucket{le="+Inf"} 2',
    'took_sum 10.5',
    'took_count 2',
  ])
  expect(await expositionOf(metrics, [histogram])).toBe(text)
})
