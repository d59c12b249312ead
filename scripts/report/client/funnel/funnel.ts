/** Funnels: of those that reached a step, who went on, who dropped out, and who may still go on. */

import type { FunnelPart, FunnelStep, MaturedPart } from '../../document.ts'
import { conversionText, curve } from './curve.ts'
import { html, nothing, section, type Child } from '../element.ts'
import { count, duration, exactly, percent } from '../format.ts'
import { funnelDaily } from './funnel-daily.ts'
import { funnelSources } from './funnel-sources.ts'
import type { Segments } from './segments.ts'
import { touchesState, type Selection } from '../selection.ts'
import { facts, tip } from '../tooltip.ts'

export function funnels(
  own: FunnelPart[],
  byEvents: FunnelPart[],
  selection: Selection,
  segmentsOf: (part: FunnelPart) => Segments[],
): HTMLElement {
  const funnel = (part: FunnelPart) => funnelElement(part, selection, segmentsOf(part))
  return section(
    'funnel',
    'Funnel',
    [
      'People who still have time to continue are pending, and are never counted as lost. ' +
        'Rates are of the matured: those who entered at least one window ago.',
    ],
    own.length + byEvents.length === 0 ? null : key(),
    own.length === 0 ? nothing('This journey defines no funnel.') : null,
    ...own.map(funnel),
    byEvents.length === 0
      ? null
      : html('p', { class: 'lede apart' }, 'Funnels by events, whatever the journey:'),
    ...byEvents.map(funnel),
  )
}

function key(): HTMLElement {
  const item = (kind: string, text: string) =>
    html('li', {}, html('span', { class: `swatch ${kind}` }), text)
  return html(
    'ul',
    { class: 'legend' },
    item('is-converted', 'converted in the end'),
    item('is-pending', 'pending'),
    item('is-dropped', 'dropped out'),
  )
}

function funnelElement(part: FunnelPart, selection: Selection, segments: Segments[]): HTMLElement {
  const [entry] = part.steps
  const isDim = ({ step }: FunnelStep) =>
    part.stepsAre === 'states' && !touchesState(selection, bare(step))
  return html(
    'div',
    { class: 'funnel' },
    html('h3', {}, part.name),
    html('p', { class: 'options' }, part.options),
    html('p', { class: 'options' }, wholeText(part)),
    entry === undefined || entry.reached === 0
      ? nothing('Nobody has entered it yet.')
      : html(
          'div',
          { class: 'funnel-body' },
          html('ol', {}, ...part.steps.map((step) => row(step, part, isDim(step)))),
          html('div', { class: 'funnel-side' }, byAge(part), funnelDaily(part)),
        ),
    ...funnelSources(part, segments),
  )
}

/** All entries, of which the rates leave out those that are not matured. */
function byAge({ byAge: points }: FunnelPart): Child {
  if (points.length === 0) return null
  return curve('Converted by age, of all entries', points, 0, conversionText(points))
}

function wholeText({ matured, countBy }: FunnelPart): string {
  if (matured === null) return 'It has no window, so no entry is ever matured, and it has no rate.'
  if (matured.rate === null) return `No ${countBy} are matured yet.`
  return `${percent(matured.rate)} of the ${count(matured.count)} matured ${countBy} converted${sure(matured)}.`
}

const rateText = (matured: MaturedPart): string =>
  matured.rate === null ? '–' : percent(matured.rate) + sure(matured)

/** How sure a rate is. */
function sure({ low, high }: MaturedPart): string {
  return `, 95 % interval ${percent(low)} to ${percent(high)}`
}

/** A step of one of several tracks is written `track.state`. */
const bare = (step: string): string => step.split('.').at(-1) ?? step

function row(step: FunnelStep, part: FunnelPart, isDim: boolean): HTMLElement {
  const { reached, converted, pending, dropped, matured, medianMs, p90Ms } = step
  const [entry = step] = part.steps
  const share = (kind: string, value: number): Child =>
    value === 0
      ? null
      : html('span', { class: `part ${kind}`, style: `width:${(100 * value) / entry.reached}%` })
  const isEntry = step === entry
  const isLast = step === part.steps.at(-1)
  const ofAll = isEntry ? part.countBy : `${percent(reached / entry.reached)} of all`
  const after = medianMs === null ? '' : `, typically ${duration(medianMs)} after the step before`
  const item = html(
    'li',
    { class: isDim ? 'is-dim' : '' },
    html(
      'div',
      { class: 'funnel-head' },
      html('strong', {}, step.step),
      step.isOptional ? html('span', { class: 'tag' }, 'optional') : null,
      html('span', {}, exactly(reached)),
      html('span', { class: 'aside' }, `${ofAll}${after}`),
    ),
    reached === 0
      ? null
      : html(
          'div',
          { class: 'bar' },
          share('is-converted', converted),
          share('is-pending', pending),
          share('is-dropped', dropped),
        ),
    reached === 0
      ? null
      : html(
          'div',
          { class: 'funnel-foot' },
          html(
            'span',
            {},
            matured === null || matured.rate === null
              ? ''
              : `${percent(matured.rate)} of the ${count(matured.count)} matured at the step before`,
          ),
          isLast
            ? null
            : html('span', {}, `${count(pending)} pending, ${count(dropped)} dropped out`),
        ),
  )
  tip(item, () =>
    facts(step.step, [
      ['Reached', exactly(reached)],
      ['Converted', exactly(converted)],
      ['Pending', exactly(pending)],
      ['Dropped out', exactly(dropped)],
      ...((isEntry
        ? []
        : [
            ['Of the step before', matured === null ? '–' : rateText(matured)],
            ['Half come within', duration(medianMs)],
            ['Nine in ten within', duration(p90Ms)],
          ]) as [string, string][]),
    ]),
  )
  return item
}
