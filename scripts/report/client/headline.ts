/** The answers most people came for, each a number and a sentence. */

import type { FunnelPart, JourneyPart, TrackPart } from '../document.ts'
import { html, type Child } from './element.ts'
import { count, counted, day, percent } from './format.ts'

export function headline(journey: JourneyPart, track: TrackPart): HTMLElement {
  const figures = [conversion(journey), costliest(track), stuck(track), busiest(track)]
  return html(
    'ul',
    { class: 'headline' },
    ...figures.filter((figure) => figure !== null),
  )
}

function figure(label: string, value: Child, text: string): HTMLElement {
  return html(
    'li',
    {},
    html('p', { class: 'label' }, label),
    html('p', { class: 'value' }, value),
    html('p', { class: 'text' }, text),
  )
}

function conversion({ funnels, instanceCount, completeCount }: JourneyPart): HTMLElement | null {
  const funnel = funnels.find(({ stepsAre }) => stepsAre === 'states')
  if (funnel === undefined) {
    if (instanceCount === 0) return null
    const rate = percent(completeCount / instanceCount)
    return figure('Come to an end', rate, `${count(completeCount)} of ${count(instanceCount)} runs`)
  }
  const { converted, decided, pending } = decidedOf(funnel)
  return figure(
    `Convert, of those decided: ${funnel.name}`,
    decided === 0 ? '–' : percent(converted / decided),
    `${count(converted)} of ${count(decided)}; ${count(pending)} more are still under way`,
  )
}

/** What came of all that entered a funnel. */
export function decidedOf({ steps }: FunnelPart): {
  converted: number
  decided: number
  pending: number
} {
  const entered = steps[0]?.reached ?? 0
  const pending = steps.reduce((total, step) => total + step.pending, 0)
  return { converted: steps.at(-1)?.reached ?? 0, decided: entered - pending, pending }
}

function costliest({ cycles }: TrackPart): HTMLElement | null {
  const [worst] = [...cycles].sort((a, b) => b.lostCount - a.lostCount)
  if (worst === undefined || worst.lostCount === 0) return null
  return figure(
    'Costliest cycle',
    counted(worst.lostCount, 'person lost', 'people lost'),
    `went ${worst.path.join(' → ')} and never got to the end`,
  )
}

function stuck({ durations }: TrackPart): HTMLElement | null {
  const [worst] = [...durations].sort((a, b) => b.stuck - a.stuck)
  if (worst === undefined || worst.stuck === 0) return null
  return figure(
    'Stuck today',
    `${count(worst.stuck)} in ${worst.state}`,
    `longer than nine in ten ever stayed; the first since ${day(worst.since)}`,
  )
}

function busiest({ variants }: TrackPart): HTMLElement | null {
  const [first] = variants
  if (first === undefined) return null
  return figure(
    'Commonest whole path',
    percent(first.coverage),
    `walk ${first.path.join(' → ')}`,
  )
}
