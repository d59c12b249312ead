/**
 * The page: the document becomes a heading, a choice of journey and track, and the parts. What is
 * selected on the map is kept here, and everything but the map is drawn again when it changes.
 */

import type { ReportDocument } from '../document.ts'
import { cycles, type CycleOrder } from './cycles.ts'
import { durations } from './durations.ts'
import { html, nothing } from './element.ts'
import { counted, exactly, instant } from './format.ts'
import { funnels } from './funnel.ts'
import { pageHeader } from './header.ts'
import { headline } from './headline.ts'
import { selectionText } from './map-words.ts'
import { JourneyMap } from './map.ts'
import { quality } from './quality.ts'
import type { Selection } from './selection.ts'
import { standing } from './standing.ts'
import { hide, tooltipElement } from './tooltip.ts'
import { variants } from './variants.ts'

const data = document.getElementById('document')?.textContent ?? ''
const report = JSON.parse(data) as ReportDocument

const root = html('main', {})
const intro = html('div', { class: 'intro' })
const place = html('div', {})
const rest = html('div', {})
const filterBar = html('div', { class: 'filter', role: 'status', hidden: true })

let journeyNo = 0
let trackNo = 0
let selection: Selection = null
let order: CycleOrder = 'lostCount'
let map: JourneyMap | null = null

function drawAll(): void {
  const journey = report.journeys[journeyNo]
  const track = journey?.tracks[trackNo]
  selection = null
  hide()
  if (journey === undefined || track === undefined) {
    root.replaceChildren(nothing('No journey has been released in this warehouse.'))
    return
  }
  const span =
    journey.instanceCount === 0
      ? 'Nobody has set out yet.'
      : `${counted(journey.instanceCount, 'run', 'runs')} by ` +
        `${counted(journey.profileCount, 'person', 'people')}, ` +
        `${instant(journey.firstAt)} to ${instant(journey.lastAt)}.`
  intro.replaceChildren(
    html('h1', {}, journey.id, html('span', { class: 'version' }, `version ${journey.version}`)),
    html('p', { class: 'lede' }, span),
    html('p', { class: 'lede' }, `Decided up to the watermark, ${instant(report.watermark)}.`),
    ...chooseTrack(),
    headline(journey, track),
  )
  map = new JourneyMap(track, select)
  place.replaceChildren(map.element)
  map.fit()
  drawRest()
}

function select(next: Selection): void {
  selection = next
  hide()
  map?.select(next)
  drawRest()
}

/** The focus goes back to what was selected. */
function clearFilter(): void {
  const pressed = document.querySelector<SVGElement>('.map [aria-pressed=true]')
  select(null)
  pressed?.focus({ preventScroll: true })
}

function drawRest(): void {
  const journey = report.journeys[journeyNo]
  const track = journey?.tracks[trackNo]
  if (journey === undefined || track === undefined) return
  const clear = html('button', { type: 'button', click: clearFilter }, 'Clear filter')
  filterBar.hidden = selection === null
  filterBar.replaceChildren(
    html(
      'span',
      {},
      'Showing what goes through ',
      html('strong', {}, selectionText(track, selection)),
    ),
    clear,
  )
  const onOrder = (next: CycleOrder) => {
    order = next
    drawRest()
    document.querySelector<HTMLElement>('#cycles th[aria-sort] button')?.focus()
  }
  rest.replaceChildren(
    funnels(journey.funnels, report.funnels, selection),
    cycles(track, selection, order, onOrder),
    durations(track, selection),
    standing(track, selection),
    variants(track, selection),
    quality(journey, track, report.quality, selection),
  )
}

function chooseTrack(): HTMLElement[] {
  const tracks = report.journeys[journeyNo]?.tracks ?? []
  if (tracks.length < 2) return []
  const names = tracks.map(({ name }) => name)
  return [
    chooser('Track', names, trackNo, (no) => {
      trackNo = no
      drawAll()
    }),
  ]
}

/** Buttons side by side, one of them pressed. */
function chooser(
  label: string,
  names: string[],
  chosen: number,
  onChoose: (no: number) => void,
): HTMLElement {
  const buttons = names.map((name, i) => {
    const press = () => {
      onChoose(i)
      document.querySelector<HTMLElement>(`[data-choice="${label} ${i}"]`)?.focus()
    }
    return html(
      'button',
      {
        type: 'button',
        'aria-pressed': String(i === chosen),
        'data-choice': `${label} ${i}`,
        click: press,
      },
      name,
    )
  })
  return html('div', { class: 'chooser', role: 'group', 'aria-label': label }, ...buttons)
}

function header(): HTMLElement {
  const bar = html('div', { class: 'top-choice' })
  const names = report.journeys.map(({ id }) => id)
  const draw = () => {
    bar.replaceChildren(
      ...(names.length < 2
        ? []
        : [
            chooser('Journey', names, journeyNo, (no) => {
              journeyNo = no
              trackNo = 0
              draw()
              drawAll()
            }),
          ]),
    )
  }
  draw()
  return pageHeader(bar)
}

function footer(): HTMLElement {
  const { watermark, recordedAt, batch, warehouse, journeysLeftOut } = report
  return html(
    'footer',
    {},
    html(
      'p',
      {},
      `Speaks for events up to ${instant(watermark)}, as recorded ${instant(recordedAt)} ` +
        `(batch ${exactly(batch)}) in ${warehouse}.`,
    ),
    journeysLeftOut === 0
      ? null
      : html(
          'p',
          {},
          `${counted(journeysLeftOut, 'journey is', 'journeys are')} not on this page.`,
        ),
  )
}

root.append(filterBar, intro, place, rest)
document.body.replaceChildren(header(), root, footer(), tooltipElement())
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && selection !== null) select(null)
})
document.addEventListener('scroll', hide, { passive: true })
new ResizeObserver(() => map?.fit()).observe(root)
drawAll()
