/** The map as text: descriptions of states and transitions, and the same as a table. */

import type { StatePart, TrackPart, WayPart } from '../../document.ts'
import { html, nothing, type Child } from '../element.ts'
import { count, counted, duration, exactly, percent } from '../format.ts'
import { nameLines } from './map-text.ts'
import { nameOf, type Selection } from '../selection.ts'
import { folded } from '../table.ts'

const EVENTS_TOLD = 4

export const keyOf = ({ from, to, cause }: WayPart): string => `${from} ${to} ${cause}`
export const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
/** Empty where it is not known, for a choice of sources. */
export const insideText = (inside: number | null): string =>
  inside === null ? '' : inside === 0 ? 'nobody now' : `${count(inside)} now`
export const refusedText = (refused: number): string => `${count(refused)} refused`
const eventsText = ({ events }: WayPart): string => events.map(({ name }) => name).join(', ')

/** Returns the number still in a state, and its share of all stays there, or the number that ended there. */
export function stayingText({ isFinal, entered, inside }: StatePart): string {
  if (entered === 0) return 'never entered'
  if (inside === null) return `entered ${count(entered)}`
  if (isFinal) return `${count(inside)} ended here`
  return inside === 0 ? 'nobody now' : `${count(inside)} now, ${percent(inside / entered)}`
}

/** The name of a way's button: it ends with the texts beside the line. */
export function wayText(way: WayPart): string {
  const how = way.cause === 'timeout' ? 'by timeout' : 'by event'
  const label = wayLabel(way).join(' ')
  return `${way.from} to ${way.to}, ${how}, ${exactly(way.count)} times: ${label}`
}

/** Beside the line: times and share of the stays, or of the moves if stays are not known, and the
 * time by which half had gone on. */
export function wayLabel(way: WayPart): string[] {
  const { count: times, shareOfStays, probability, medianMs } = way
  const share = `${count(times)} · ${percent(shareOfStays ?? probability)}`
  return medianMs === null ? [share] : [share, duration(medianMs)]
}

export function wayFacts(way: WayPart): [string, string][] {
  return [
    [way.cause === 'timeout' ? 'Timed out' : 'Taken', `${exactly(way.count)} times`],
    ['By', counted(way.profileCount, 'person', 'people')],
    ['Share of moves from there', percent(way.probability)],
    ['Share of stays there', percent(way.shareOfStays)],
    ['Typically after', duration(way.medianMs)],
    ...way.events
      .slice(0, EVENTS_TOLD)
      .map(({ name, count: times }): [string, string] => [name, exactly(times)]),
  ]
}

/** The name of a state's button: it begins with the texts in the box, in their order. */
export function stateText(state: StatePart, refused: number): string {
  const parts = [nameLines(state.name).join(' '), stayingText(state)]
  if (refused > 0) parts.push(refusedText(refused))
  return [...parts, `entered ${exactly(state.entered)} times`].join(', ')
}

export function stateFacts(state: StatePart, refused: number): [string, string][] {
  return [
    ['Entered', `${exactly(state.entered)} times`],
    ['By', counted(state.profileCount, 'person', 'people')],
    [state.isFinal ? 'Ended here' : 'Here now', exactly(state.inside)],
    ...(state.outcome === null ? [] : [['Outcome', state.outcome] as [string, string]]),
    ['Events refused', exactly(refused)],
  ]
}

/** Returns the selection with its numbers. On a touch screen it replaces hovering. */
export function selectionText({ states, ways }: TrackPart, selection: Selection): string {
  if (selection === null) return ''
  if ('state' in selection) {
    const state = states.find(({ name }) => name === selection.state)
    if (state === undefined) return selection.state
    const entered = `entered ${exactly(state.entered)} times`
    const by =
      state.profileCount === null ? '' : ` by ${counted(state.profileCount, 'person', 'people')}`
    const inside = state.inside === null ? '' : `, ${insideText(state.inside)}`
    return `${state.name}: ${entered}${by}${inside}`
  }
  const { from, to } = selection
  const taken = ways.filter((way) => way.from === from && way.to === to)
  const times = sum(taken.map(({ count: each }) => each))
  const share = sum(taken.map(({ probability }) => probability ?? 0))
  return `${nameOf(selection)}: ${exactly(times)} times, ${percent(share)} of moves from ${from}`
}

/** Ways that are not in the document at all. */
export function waysLeftOutText({ paths, times }: TrackPart['waysLeftOut']): string {
  return (
    `${counted(paths, 'rarer way', 'rarer ways')} with ${counted(times, 'move', 'moves')} ` +
    `${paths === 1 ? 'is' : 'are'} not on this page.`
  )
}

/** Every way of the document, whatever the map shows. */
export function mapTable({ ways, waysLeftOut }: TrackPart): Child {
  if (ways.length === 0) return null
  const rows = ways.map((way) => [
    `${way.from} → ${way.to}`,
    way.cause === 'timeout' ? 'by timeout' : eventsText(way),
    exactly(way.count),
    exactly(way.profileCount),
    percent(way.probability),
    percent(way.shareOfStays),
    duration(way.medianMs),
  ])
  const titles = [
    'Way',
    'How',
    'Times',
    'People',
    'Share of moves',
    'Share of stays',
    'Typically after',
  ]
  const table = folded('The map as a table', titles, 2, () => rows)
  table.classList.add('in-print')
  return html(
    'div',
    {},
    table,
    waysLeftOut.paths === 0 ? null : nothing(waysLeftOutText(waysLeftOut)),
  )
}
