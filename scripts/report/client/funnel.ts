/** Funnels: of those that reached a step, who went on, who dropped out, and who may still go on. */

import type { FunnelPart, FunnelStep } from '../document.ts'
import { html, nothing, section, type Child } from './element.ts'
import { count, duration, exactly, percent } from './format.ts'
import { decidedOf } from './headline.ts'
import { touchesState, type Selection } from './selection.ts'
import { facts, tip } from './tooltip.ts'

export function funnels(parts: FunnelPart[], selection: Selection): HTMLElement {
  const body =
    parts.length === 0
      ? [nothing('This journey defines no funnel.')]
      : [key(), ...parts.map((part) => funnel(part, selection))]
  return section(
    'funnel',
    'Funnel',
    ['Whoever still has time to go on is pending, and is never counted as lost.'],
    ...body,
  )
}

function key(): HTMLElement {
  const item = (kind: string, text: string) =>
    html('li', {}, html('span', { class: `swatch ${kind}` }), text)
  return html(
    'ul',
    { class: 'legend' },
    item('is-converted', 'went on'),
    item('is-pending', 'pending'),
    item('is-dropped', 'dropped out'),
  )
}

function funnel(part: FunnelPart, selection: Selection): HTMLElement {
  const first = part.steps[0]?.reached ?? 0
  const { converted, decided, pending } = decidedOf(part)
  const sum =
    decided === 0
      ? `nobody is decided yet, ${count(pending)} pending`
      : `${percent(converted / decided)} of ${count(decided)} decided, ${count(pending)} pending`
  return html(
    'div',
    { class: 'funnel' },
    html('h3', {}, part.name, html('span', { class: 'aside' }, sum)),
    first === 0
      ? nothing('Nobody has entered it yet.')
      : html(
          'ol',
          {},
          ...part.steps.map((step, i) =>
            row(step, part.steps[i - 1], {
              first,
              isLast: i === part.steps.length - 1,
              isDim: part.stepsAre === 'states' && !touchesState(selection, bare(step.step)),
            }),
          ),
        ),
  )
}

/** A step of one of several tracks is written `track.state`. */
const bare = (step: string): string => step.split('.').at(-1) ?? step

function row(
  step: FunnelStep,
  before: FunnelStep | undefined,
  { first, isLast, isDim }: { first: number; isLast: boolean; isDim: boolean },
): HTMLElement {
  const wentOn = isLast ? step.reached : step.converted
  const part = (kind: string, value: number): Child =>
    value === 0
      ? null
      : html('span', { class: `part ${kind}`, style: `width:${(100 * value) / first}%` })
  const after: string[] = []
  if (before !== undefined) {
    after.push(`${percent(before.rateOfDecided)} of those decided before`)
    if (step.medianMs !== null) after.push(`typically after ${duration(step.medianMs)}`)
  }
  const rest = isLast ? '' : `${count(step.pending)} pending, ${count(step.dropped)} dropped`
  const item = html(
    'li',
    { class: isDim ? 'is-dim' : '' },
    html(
      'div',
      { class: 'funnel-head' },
      html('strong', {}, step.step),
      html('span', { class: 'reached' }, exactly(step.reached)),
      html('span', { class: 'aside' }, `${percent(step.reached / first)} of all`),
    ),
    html(
      'div',
      { class: 'bar' },
      part('is-converted', wentOn),
      isLast ? null : part('is-pending', step.pending),
      isLast ? null : part('is-dropped', step.dropped),
    ),
    html(
      'div',
      { class: 'funnel-foot' },
      html('span', {}, after.join(', ')),
      html('span', {}, rest),
    ),
  )
  tip(item, () =>
    facts(step.step, [
      ['Reached', exactly(step.reached)],
      ...(isLast
        ? []
        : ([
            ['Went on', exactly(step.converted)],
            ['Pending', exactly(step.pending)],
            ['Dropped out', exactly(step.dropped)],
            ['Go on, of decided', percent(step.rateOfDecided)],
          ] as [string, string][])),
      ['From the step before', duration(step.medianMs)],
      ['Nine in ten within', duration(step.p90Ms)],
    ]),
  )
  return item
}
