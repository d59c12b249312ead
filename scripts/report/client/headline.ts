/** The answers most people came for, each a number and a sentence. */

import type { JourneyPart, TrackPart } from '../document.ts'
import { html } from './element.ts'
import { count, counted, day, duration, percent } from './format.ts'

/** Characters from which a value is set smaller. */
const LONG_FROM = 24

/** People lost are not sums: with a choice of days or source they are left out. */
export function headline(journey: JourneyPart, track: TrackPart, isWhole: boolean): HTMLElement {
  const figures = [
    conversion(journey, isWhole),
    isWhole ? costliest(track) : costliestByTime(track),
    stuck(track),
    busiest(track),
  ]
  return html('ul', { class: 'headline' }, ...figures.filter((figure) => figure !== null))
}

function figure(label: string, value: string, text: string): HTMLElement {
  return html(
    'li',
    {},
    html('p', { class: 'label' }, label),
    html('p', { class: value.length > LONG_FROM ? 'value is-long' : 'value' }, value),
    html('p', { class: 'text' }, text),
  )
}

function conversion(journey: JourneyPart, isWhole: boolean): HTMLElement | null {
  const { funnels, tracks, instanceCount, completeCount, convertedCount, lostCount } = journey
  const funnel = funnels.find(({ stepsAre }) => stepsAre === 'states')
  if (funnel === undefined) {
    const canEnd = tracks.every(({ states }) => states.some(({ isFinal }) => isFinal))
    if (instanceCount === 0 || !canEnd || !isWhole) return null
    const open = `${count(instanceCount - completeCount)} are still running`
    const text = `${count(convertedCount)} converted and ${count(lostCount)} were lost; ${open}`
    return figure('Came to an end', counted(completeCount, 'run', 'runs'), text)
  }
  const [entry] = funnel.steps
  if (entry === undefined || entry.reached === 0) return null
  const label = `Conversion: ${funnel.name}`
  const pending = `${count(entry.pending)} ${entry.pending === 1 ? 'is' : 'are'} pending`
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

function costliest(track: TrackPart): HTMLElement | null {
  if (!track.states.some(({ outcome }) => outcome === 'failure')) return costliestByTime(track)
  const [worst] = [...track.cycles].sort((a, b) => b.lostCount - a.lostCount)
  if (worst === undefined || worst.lostCount === 0) return null
  return figure(
    'Costliest cycle',
    counted(worst.lostCount, 'person lost', 'people lost'),
    `went ${worst.path.join(' → ')} and came to a failure`,
  )
}

function costliestByTime({ cycles }: TrackPart): HTMLElement | null {
  const [worst] = [...cycles].sort((a, b) => b.totalMs - a.totalMs)
  if (worst === undefined || worst.totalMs === 0) return null
  const text = `was spent going ${worst.path.join(' → ')}`
  return figure('Costliest cycle', duration(worst.totalMs), text)
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
