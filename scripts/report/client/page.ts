/**
 * The page: the document becomes a heading, a choice of journey, track, days and source, and the
 * parts. The choice is the hash of the address. A selection on the map draws everything but the map
 * again.
 */

import { blockSql, type BlockName } from '../block-sql.ts'
import { isEverything, type Slice } from '../cube/cube.ts'
import type { JourneyPart, ReportDocument, TrackPart } from '../document.ts'
import { eventValue } from '../event-value.ts'
import { blockRows } from './block-rows.ts'
import { changes } from './compare/changes.ts'
import type { Sides } from './compare/choice.ts'
import { compare } from './compare/compare.ts'
import { controls, sliceText } from './controls.ts'
import { cycles, type CycleOrder } from './cycles.ts'
import { dropOffs } from './funnel/drop-offs.ts'
import { durations, scopeText } from './durations.ts'
import { emptyNotice } from './empty.ts'
import { html, nothing, type Child } from './element.ts'
import { withExports } from './exports.ts'
import { counted, instant } from './format.ts'
import { funnels } from './funnel/funnel.ts'
import { segmentsOf } from './funnel/segments.ts'
import { pageHeader } from './header.ts'
import { headline } from './headline.ts'
import { selectionText } from './map/map-words.ts'
import { JourneyMap } from './map/map.ts'
import { Folds } from './phone.ts'
import { openForPrint } from './print.ts'
import { chooser } from './chooser.ts'
import { footer } from './footer.ts'
import { quality } from './quality.ts'
import { rework } from './rework.ts'
import type { Selection } from './selection.ts'
import { cubesOf, slicedOf, type Sliced } from './sliced.ts'
import { standing } from './standing.ts'
import { hide, tooltipElement } from './tooltip.ts'
import { variants } from './variants.ts'
import { hashOf, viewOf, type View } from './view.ts'

const data = document.getElementById('document')?.textContent ?? ''
const report = JSON.parse(data) as ReportDocument

const root = html('main', { tabindex: -1 })
const intro = html('div', { class: 'intro' })
const place = html('div', {})
const rest = html('div', {})
const filterBar = html('div', { class: 'filter', role: 'status', hidden: true })

let view = viewOf(location.hash, report)
let shown: Sliced | null = null
let order: CycleOrder = 'lostCount'
let map: JourneyMap | null = null
const folds = new Folds()

/** Shows another view, and writes it to the address. */
function show(part: Partial<View>): void {
  view = { ...view, ...part }
  const hash = hashOf(view, report)
  history.replaceState(null, '', hash === '' ? location.pathname : `#${hash}`)
}

function drawAll(): void {
  const journey = report.journeys[view.journeyNo]
  const track = journey?.tracks[view.trackNo]
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
  if (report.empty !== null) {
    const none = html('p', { class: 'lede' }, 'Nobody has set out yet.')
    intro.replaceChildren(html('h1', {}, journey.id), none, emptyNotice(report.empty))
    rest.replaceChildren(quality(journey, track, report.quality, null))
    return
  }
  shown = slicedOf(report, journey, track, view.slice)
  intro.replaceChildren(
    html('h1', {}, journey.id, html('span', { class: 'version' }, `version ${journey.version}`)),
    html('p', { class: 'lede' }, span),
    html(
      'p',
      { class: 'lede' },
      report.watermark === null
        ? 'Nothing is decided yet.'
        : `Decided up to the watermark, ${instant(report.watermark)}.`,
    ),
    ...chooseTrack(),
    ...chooseSlice(journey, track).filter((child) => child !== null),
    headline(shown.journey, shown.track, isEverything(view.slice)),
  )
  map = new JourneyMap(shown.track, select)
  place.replaceChildren(block('map', map.element))
  map.fit()
  map.select(view.selection)
  drawRest()
}

/** The focus stays in the control that was used. */
function chooseSlice(journey: JourneyPart, track: TrackPart): Child[] {
  const redraw = (slice: Slice) => {
    const focused = document.activeElement?.getAttribute('name') ?? 'from'
    show({ slice })
    drawAll()
    document.querySelector<HTMLElement>(`.controls [name="${focused}"]`)?.focus()
  }
  const text = sliceText(view.slice, cubesOf(report, journey, track), report.sketches.error)
  return [
    controls(report, view.slice, redraw),
    html('p', { class: 'slice', role: 'status' }, isEverything(view.slice) ? '' : text),
  ]
}

function select(selection: Selection): void {
  show({ selection })
  hide()
  map?.select(selection)
  drawRest()
}

/** The focus goes back to what was selected. */
function clearFilter(): void {
  const pressed = document.querySelector<SVGElement>('.map [aria-pressed=true]')
  select(null)
  pressed?.focus({ preventScroll: true })
}

function drawRest(): void {
  if (shown === null) return
  const { journey, track, byEvents } = shown
  const { selection } = view
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
  const onSides = (sides: Sides) => {
    const focused = document.activeElement?.getAttribute('name') ?? 'second'
    show({ sides })
    drawRest()
    document.querySelector<HTMLElement>(`#compare [name=${focused}]`)?.focus()
  }
  const isWhole = isEverything(view.slice)
  const isOfSource = view.slice.source !== null || view.slice.group !== null
  const whole = 'of the whole period'
  const parts = [
    block(
      'funnel',
      funnels(journey.funnels, byEvents, selection, segmentsOf(report, journey, view.slice)),
    ),
    compare(report, journey, track, view.slice, view.sides, onSides),
    changes(report, journey, track),
    block('cycles', cycles(track, selection, order, onOrder, isWhole)),
    block('next', marked(dropOffs(track, selection), !isWhole, whole)),
    block('rework', marked(rework(track, selection), !isWhole, whole)),
    block('durations', marked(durations(track, selection), !isWhole, scopeText(track))),
    block('standing', marked(standing(track, selection), isOfSource, 'of all sources')),
    block(
      'variants',
      marked(
        variants(track, selection),
        view.slice.group !== null,
        `of all values of ${report.by}`,
      ),
    ),
    block('quality', marked(quality(journey, track, report.quality, selection), !isWhole, whole)),
  ].filter((part) => part !== null)
  // Of a journey that nobody has begun, there is nothing else to show.
  const isShown = ({ id }: HTMLElement) =>
    journey.instanceCount > 0 || id === 'funnel' || id === 'quality'
  const shownParts = parts.filter(isShown)
  folds.apply(shownParts)
  rest.replaceChildren(...shownParts)
}

/** A section with the query and the rows behind its numbers. */
function block(name: BlockName, section: HTMLElement): HTMLElement {
  const sliced = shown
  if (sliced === null) return section
  const { journey, track } = sliced
  const value = report.by === null ? null : eventValue(report.by, report.warehouse)
  const sql = blockSql(name, { journey: journey.id, track: track.name, slice: view.slice, value })
  return withExports(section, { name, sql, rowsOf: () => blockRows(name, sliced) })
}

/** Notes beside the heading of a section what the choice does not change. */
function marked(section: HTMLElement, isMarked: boolean, text: string): HTMLElement {
  if (isMarked) section.querySelector('h2')?.after(html('p', { class: 'scope' }, text))
  return section
}

function chooseTrack(): HTMLElement[] {
  const tracks = report.journeys[view.journeyNo]?.tracks ?? []
  if (tracks.length < 2) return []
  const names = tracks.map(({ name }) => name)
  return [
    chooser('Track', names, view.trackNo, (no) => {
      show({ trackNo: no, selection: null })
      drawAll()
    }),
  ]
}

/** The hash describes the view, so that the link moves the focus itself. */
function skipLink(): HTMLElement {
  return html(
    'button',
    { type: 'button', class: 'skip', click: () => root.focus() },
    'Skip to the content',
  )
}

function header(): HTMLElement {
  const bar = html('div', { class: 'top-choice' })
  const names = report.journeys.map(({ id }) => id)
  const draw = () => {
    bar.replaceChildren(
      ...(names.length < 2
        ? []
        : [
            chooser('Journey', names, view.journeyNo, (no) => {
              show({ journeyNo: no, trackNo: 0, selection: null })
              draw()
              drawAll()
            }),
          ]),
    )
  }
  draw()
  return pageHeader(bar)
}

root.append(filterBar, intro, place, rest)
document.body.replaceChildren(skipLink(), header(), root, footer(report), tooltipElement())
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && view.selection !== null) select(null)
})
document.addEventListener('scroll', hide, { passive: true })
openForPrint()
folds.onChange(drawRest)
new ResizeObserver(() => map?.fit()).observe(root)
window.addEventListener('hashchange', () => {
  view = viewOf(location.hash, report)
  document.querySelector('header')?.replaceWith(header())
  drawAll()
})
drawAll()
