/**
 * Zoom and pan of the map: buttons, the keys + − 0 and the arrows, the wheel with Ctrl, a drag. At
 * first the whole map fits. The zoom is a transform of one group inside a drawing whose view box is
 * the whole map, so that paper, where the transform is off, has all of it.
 */

import { html, svg } from '../element.ts'

const STEP = 1.4
const ZOOM_MAX = 12
/** Share of the view that an arrow key moves by. */
const PAN = 0.15
/** Below this scale only names are shown, in a size that can be read. */
const FAR_BELOW = 0.5
/** Pixels after which a press is a drag and not a click. */
const DRAG_FROM = 4

type Size = { width: number; height: number }

export class MapView {
  readonly element: HTMLElement
  readonly #canvas = html('div', { class: 'map-canvas' })
  readonly #tools: HTMLElement
  #svg = svg('svg', {})
  #layer = svg('g', {})
  #map: Size = { width: 1, height: 1 }
  /** Pixels of the window. */
  #height = 1
  #zoom = 1
  /** Position of the map's origin, in pixels of the map. */
  #x = 0
  #y = 0

  constructor() {
    const button = (label: string, text: string, click: () => void) =>
      html('button', { type: 'button', 'aria-label': label, click }, text)
    this.#tools = html(
      'div',
      { class: 'map-tools', role: 'group', 'aria-label': 'Zoom of the map' },
      button('Zoom in', '+', () => this.#zoomBy(STEP)),
      button('Zoom out', '−', () => this.#zoomBy(1 / STEP)),
      button('Fit the map', 'Fit', () => this.fit()),
    )
    this.element = html('div', { class: 'map-view' }, this.#tools, this.#canvas)
    this.element.addEventListener('keydown', (event) => this.#onKey(event))
    this.#canvas.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false })
    this.#canvas.addEventListener('pointerdown', (event) => this.#onPress(event))
    this.#canvas.addEventListener('focusin', (event) => this.#reveal(event.target as Element))
  }

  /** Pixels that a map may be wide. */
  get width(): number {
    return this.#canvas.clientWidth
  }

  /** Shows a map of that size, whole, at most `scale` times as large as it is drawn. */
  show(layer: SVGGElement, map: Size, scale: number, label: string): void {
    this.#height = Math.min(heightMax(), map.height * Math.min(scale, this.width / map.width))
    this.#map = map
    this.#layer = layer
    layer.classList.add('map-layer')
    this.#svg = svg(
      'svg',
      {
        class: 'map',
        viewBox: `0 0 ${map.width} ${map.height}`,
        width: '100%',
        height: this.#height,
        role: 'group',
        'aria-label': label,
      },
      layer,
    )
    this.#canvas.replaceChildren(this.#svg)
    this.fit()
  }

  fit(): void {
    this.#zoom = 1
    this.#x = 0
    this.#y = 0
    this.#apply()
  }

  #apply(): void {
    const { width, height } = this.#map
    // A part of the map always stays in sight.
    this.#x = Math.min(width * 0.9, Math.max(width * (0.1 - this.#zoom), this.#x))
    this.#y = Math.min(height * 0.9, Math.max(height * (0.1 - this.#zoom), this.#y))
    this.#layer.setAttribute('transform', `translate(${this.#x},${this.#y}) scale(${this.#zoom})`)
    this.#canvas.classList.toggle('is-zoomed', this.#zoom > 1)
    this.#canvas.dataset['zoom'] = this.#zoom.toFixed(2)
    const scale = this.#zoom * Math.min(this.width / width, this.#height / height)
    this.#canvas.classList.toggle('is-far', scale < FAR_BELOW)
    this.#canvas.style.setProperty('--scale', scale.toFixed(3))
  }

  /** Zooms about a point of the view box; without one, about the middle. */
  #zoomBy(factor: number, about?: { x: number; y: number }): void {
    const { x, y } = about ?? { x: this.#map.width / 2, y: this.#map.height / 2 }
    const zoom = Math.min(ZOOM_MAX, Math.max(1, this.#zoom * factor))
    if (zoom === 1) {
      this.fit()
      return
    }
    this.#x = x - ((x - this.#x) * zoom) / this.#zoom
    this.#y = y - ((y - this.#y) * zoom) / this.#zoom
    this.#zoom = zoom
    this.#apply()
  }

  #panBy(x: number, y: number): void {
    this.#x += x * this.#map.width
    this.#y += y * this.#map.height
    this.#apply()
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const keys: { [key: string]: () => void } = {
      '+': () => this.#zoomBy(STEP),
      '=': () => this.#zoomBy(STEP),
      '-': () => this.#zoomBy(1 / STEP),
      '0': () => this.fit(),
      ArrowLeft: () => this.#panBy(PAN, 0),
      ArrowRight: () => this.#panBy(-PAN, 0),
      ArrowUp: () => this.#panBy(0, PAN),
      ArrowDown: () => this.#panBy(0, -PAN),
    }
    const act = keys[event.key]
    // The arrows scroll the page while the whole map is in sight.
    if (act === undefined || (event.key.startsWith('Arrow') && this.#zoom === 1)) return
    event.preventDefault()
    act()
  }

  /** Without Ctrl the wheel scrolls the page. A pinch on a trackpad is a wheel with Ctrl. */
  #onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    this.#zoomBy(Math.exp(-event.deltaY / 300), this.#pointOf(event))
  }

  #onPress(press: PointerEvent): void {
    if (press.button !== 0 || this.#zoom === 1) return
    let from = this.#pointOf(press)
    let isDrag = false
    const move = (event: PointerEvent) => {
      const far = Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY)
      if (!isDrag && far < DRAG_FROM) return
      if (!isDrag) this.#canvas.setPointerCapture(press.pointerId)
      isDrag = true
      const to = this.#pointOf(event)
      this.#x += to.x - from.x
      this.#y += to.y - from.y
      from = to
      this.#apply()
    }
    const end = () => {
      this.#canvas.removeEventListener('pointermove', move)
      if (!isDrag) return
      const swallow = (event: Event) => event.stopPropagation()
      this.#canvas.addEventListener('click', swallow, { capture: true, once: true })
      setTimeout(() => this.#canvas.removeEventListener('click', swallow, { capture: true }))
    }
    this.#canvas.addEventListener('pointermove', move)
    for (const name of ['pointerup', 'pointercancel'] as const) {
      this.#canvas.addEventListener(name, end, { once: true })
    }
  }

  /** Brings what the keyboard is on into sight. */
  #reveal(target: Element): void {
    if (this.#zoom === 1 || !target.matches(':focus-visible')) return
    const [own, all] = [target.getBoundingClientRect(), this.#canvas.getBoundingClientRect()]
    const isInside = own.left >= all.left && own.right <= all.right
    if (isInside && own.top >= all.top && own.bottom <= all.bottom) return
    const point = this.#pointOf({
      clientX: (own.left + own.right) / 2,
      clientY: (own.top + own.bottom) / 2,
    })
    this.#x += this.#map.width / 2 - point.x
    this.#y += this.#map.height / 2 - point.y
    this.#apply()
  }

  /** A point of the window → of the view box. */
  #pointOf({ clientX, clientY }: { clientX: number; clientY: number }): DOMPoint {
    const matrix = this.#svg.getScreenCTM()?.inverse()
    return new DOMPoint(clientX, clientY).matrixTransform(matrix)
  }
}

/** Most of the window, so that the page around the map can be reached. */
export const heightMax = (): number => Math.max(360, innerHeight * 0.8)
