/**
 * The reader's choices as the hash of the page's address: journey, track, days, source, group and
 * selection. The same address shows the same page.
 */

import { formatInstant, MS, parseInstant } from '../../../pipeline/base/clock.ts'
import type { Slice } from '../cube/cube.ts'
import type { ReportDocument } from '../document.ts'
import { choiceOf, choiceText, type Sides } from './compare/choice.ts'
import type { Selection } from './selection.ts'

export type View = {
  /** Indices in the document. */
  journeyNo: number
  trackNo: number
  slice: Slice
  selection: Selection
  /** Both sides of the comparison; null is everything chosen, and no second side. */
  sides: Sides
}

/** Separates the ends of a way. No state has it in its name. */
const ARROW = ' > '

/** Returns what a hash describes; parts that the document does not have are ignored. */
export function viewOf(hash: string, report: ReportDocument): View {
  const asked = new URLSearchParams(hash.replace(/^#/, ''))
  const found = (names: string[], name: string | null) => Math.max(0, names.indexOf(name ?? ''))
  const journeyNo = found(
    report.journeys.map(({ id }) => id),
    asked.get('journey'),
  )
  const tracks = report.journeys[journeyNo]?.tracks ?? []
  const trackNo = found(
    tracks.map(({ name }) => name),
    asked.get('track'),
  )
  const names = new Set((tracks[trackNo]?.states ?? []).map(({ name }) => name))
  const slice = sliceOf(asked)
  return {
    journeyNo,
    trackNo,
    slice,
    selection: selectionOf(asked, names),
    sides: { first: choiceOf(asked.get('first')), second: choiceOf(asked.get('second')) },
  }
}

function sliceOf(asked: URLSearchParams): Slice {
  return {
    from: dayOf(asked.get('from')),
    to: dayOf(asked.get('to')),
    source: asked.get('source'),
    group: asked.get('group'),
  }
}

function selectionOf(asked: URLSearchParams, names: Set<string>): Selection {
  const state = asked.get('state')
  if (state !== null) return names.has(state) ? { state } : null
  const [from = '', to = ''] = (asked.get('move') ?? '').split(ARROW)
  return names.has(from) && names.has(to) ? { from, to } : null
}

/** Returns the hash of a view, without its `#`; empty for what the page shows at first. */
export function hashOf(view: View, report: ReportDocument): string {
  const { journeyNo, trackNo, slice, selection, sides } = view
  const journey = report.journeys[journeyNo]
  const track = journey?.tracks[trackNo]
  const parts: [string, string | null][] = [
    ['journey', journeyNo === 0 ? null : (journey?.id ?? null)],
    ['track', trackNo === 0 ? null : (track?.name ?? null)],
    ['from', slice.from === null ? null : dateOf(slice.from)],
    ['to', slice.to === null ? null : dateOf(slice.to)],
    ['source', slice.source],
    ['group', slice.group],
    ['first', sides.first === null ? null : choiceText(sides.first)],
    ['second', sides.second === null ? null : choiceText(sides.second)],
    ['state', selection !== null && 'state' in selection ? selection.state : null],
    [
      'move',
      selection !== null && 'from' in selection ? selection.from + ARROW + selection.to : null,
    ],
  ]
  const known = parts.filter((part): part is [string, string] => part[1] !== null)
  return new URLSearchParams(known).toString()
}

/** `2026-03-07` → its first millisecond; null for anything else. */
export function dayOf(text: string | null): number | null {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null
  const instant = parseInstant(`${text}T00:00:00Z`)
  return instant === null ? null : instant / MS
}

/** A day as an input of type `date` and SQL write it. */
export function dateOf(ms: number): string {
  return formatInstant(ms * MS).slice(0, 10)
}
