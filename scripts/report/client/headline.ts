/** The answers most people came for, each a number and a sentence. */

import type { JourneyPart, TrackPart } from '../document.ts'
import { html, type Child } from './element.ts'
import { count, counted, day, duration, percent } from './format.ts'

export function headline(journey: JourneyPart, track: TrackPart): HTMLElement {
  const figures = [conversion(journey), costliest(track), stuck(track), busiest(track)]
  return html('ul', { class: 'headline' }, ...figures.filter((figure) => figure !== null))
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

function conversion(journey: JourneyPart): HTMLElement | null {
  const { funnels, tracks, instanceCount, completeCount, convertedCount, lostCount } = journey
  const funnel = funnels.find(({ stepsAre }) => stepsAre === 'states')
  if (funnel === undefined) {
    const canEnd = tracks.every(({ states }) => states.some(({ isFinal }) => isFinal))
    if (instanceCount === 0 || !canEnd) return null
    const open = `${count(instanceCount - completeCount)} are still running`
    const text = `${count(convertedCount)} converted and ${count(lostCount)} were lost; ${open}`
    return figure('Came to an end', counted(completeCount, 'run', 'runs'), text)
  }
  const [entry] = funnel.steps
  if (entry === undefined || entry.reached === 0) return null
  const label = `Conversion: ${funnel.name}`
  const pending = `${count(entry.pending)} are pending`
  const { matured } = funnel
  if (matured === null) {
    return figure(label, '–', `${count(entry.converted)} converted; no window, so no rate`)
  }
  if (matured.rate === null) return figure(label, '–', `nobody is matured yet; ${pending}`)
  return figure(
    label,
    percent(matured.rate),
    `${count(matured.converted)} of the ${count(matured.count)} matured, ` +
      `95 % interval ${percent(matured.low)} to ${percent(matured.high)}; ${pending}`,
  )
}

function costliest({ cycles, states }: TrackPart): HTMLElement | null {
  const hasLoss = states.some(({ outcome }) => outcome === 'failure')
  const cost = hasLoss ? 'lostCount' : 'totalMs'
  const [worst] = [...cycles].sort((a, b) => b[cost] - a[cost])
  if (worst === undefined || worst[cost] === 0) return null
  const way = worst.path.join(' → ')
  return hasLoss
    ? figure(
        'Costliest cycle',
        counted(worst.lostCount, 'person lost', 'people lost'),
        `went ${way} and came to a failure`,
      )
    : figure('Costliest cycle', duration(worst.totalMs), `was spent going ${way}`)
}

function stuck({ durations }: TrackPart): HTMLElement | null {
  const [worst] = [...durations].sort((a, b) => b.stuck - a.stuck)
  if (worst === undefined || worst.stuck === 0) return null
  return figure(
    'Stuck now',
    `${count(worst.stuck)} in ${worst.state}`,
    `longer than nine in ten stay; the first since ${day(worst.since)}`,
  )
}

function busiest({ variants }: TrackPart): HTMLElement | null {
  const [first] = variants
  if (first === undefined) return null
  return figure(
    'Commonest whole path',
    percent(first.coverage),
    first.path.length === 1 ? `have not left ${first.path[0]}` : `go ${first.path.join(' → ')}`,
  )
}
