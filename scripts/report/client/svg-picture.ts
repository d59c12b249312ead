/**
 * A part of the page as a drawing of its own: rectangles, paths and texts with plain attributes, which
 * drawing programs open. Controls are left out.
 */

import { svg } from './element.ts'

/** Shapes of one picture. Beyond, it is cut off with a note. */
const SHAPES_MAX = 6_000
const LEFT_OUT =
  '.exports, .query, .more, .controls, .map-tools, .slider, details, caption, button:not(.sort)'
/** Properties that a shape of a chart takes over from the style sheets. */
const SHAPE_PROPERTIES = ['stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin']
  .concat(['opacity', 'fill-opacity', 'stroke-opacity', 'text-anchor', 'paint-order'])
  .concat(['font-family', 'font-size', 'font-weight'])
const FONT = ['font-family', 'font-size', 'font-weight', 'font-style', 'letter-spacing']
const SIDES = ['top', 'right', 'bottom', 'left'] as const
const MARGIN = 16

const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })

/** Returns the picture of an element as it stands on the page. */
export function pictureOf(element: HTMLElement): string {
  return new Picture(element).text()
}

class Picture {
  readonly #root: HTMLElement
  readonly #box: DOMRect
  readonly #shapes: SVGElement[] = []
  #bottom = 0
  #clips = 0

  constructor(root: HTMLElement) {
    this.#root = root
    this.#box = root.getBoundingClientRect()
  }

  text(): string {
    this.#add(this.#root)
    const isCut = this.#shapes.length >= SHAPES_MAX
    const height = Math.ceil(this.#bottom) + MARGIN + (isCut ? 24 : 0)
    const width = Math.ceil(this.#box.width)
    const size = { width: width + 2 * MARGIN, height: height + MARGIN }
    const note = svg('text', { x: 0, y: height - MARGIN, 'font-size': 12 }, CUT)
    const paper = rgbOf(getComputedStyle(document.body).backgroundColor)
    const picture = svg(
      'svg',
      { ...size, viewBox: `${-MARGIN} ${-MARGIN} ${size.width} ${size.height}` },
      svg('rect', { x: -MARGIN, y: -MARGIN, ...size, fill: paper.color }),
      ...this.#shapes,
      isCut ? note : null,
    )
    return new XMLSerializer().serializeToString(picture)
  }

  #add(element: Element): void {
    if (this.#shapes.length >= SHAPES_MAX || element.matches(LEFT_OUT)) return
    const style = getComputedStyle(element)
    if (style.display === 'none' || style.visibility === 'hidden') return
    if (element instanceof SVGSVGElement) return this.#chart(element)
    this.#plane(element, style)
    for (const child of element.childNodes) {
      if (child instanceof Element) this.#add(child)
      else if (child instanceof Text) this.#lines(child, style)
    }
  }

  /** The background and the borders of an element. */
  #plane(element: Element, style: CSSStyleDeclaration): void {
    const box = element.getBoundingClientRect()
    if (box.width < 0.5 || box.height < 0.5) return
    const at = { x: box.left - this.#box.left, y: box.top - this.#box.top }
    const size = { width: box.width, height: box.height, rx: parseFloat(style.borderRadius) || 0 }
    const hatch = /(?:rgba?|color|oklch|oklab)\([^)]{1,60}\)/i.exec(style.backgroundImage)
    const fill = hatch === null ? rgbOf(style.backgroundColor) : rgbOf(hatch[0])
    if (fill.opacity > 0) {
      const bar = this.#share(element, { ...at, ...size })
      this.#push(svg('rect', { ...bar, fill: fill.color, 'fill-opacity': fill.opacity }), box)
    }
    for (const side of SIDES) {
      const width = parseFloat(style.getPropertyValue(`border-${side}-width`))
      const line = rgbOf(style.getPropertyValue(`border-${side}-color`))
      if (width === 0 || line.opacity === 0) continue
      const [x1, x2] =
        side === 'left'
          ? [at.x, at.x]
          : [at.x + (side === 'right' ? box.width : 0), at.x + box.width]
      const [y1, y2] =
        side === 'top'
          ? [at.y, at.y]
          : [at.y + (side === 'bottom' ? box.height : 0), at.y + box.height]
      this.#push(
        svg('line', {
          x1,
          y1,
          x2,
          y2,
          stroke: line.color,
          'stroke-width': width,
          'stroke-opacity': line.opacity,
        }),
        box,
      )
    }
  }

  /** A bar in a cell fills a share of its place, from the right. */
  #share(
    element: Element,
    plane: { x: number; y: number; width: number; height: number; rx: number },
  ) {
    const share = element instanceof HTMLElement ? element.style.getPropertyValue('--share') : ''
    if (share === '' || !element.matches('.cell-bar')) return plane
    const width = plane.width * Number(share)
    return { ...plane, x: plane.x + plane.width - width, width }
  }

  /** A text, line by line as the page breaks it. */
  #lines(node: Text, style: CSSStyleDeclaration): void {
    const fill = rgbOf(style.color)
    const range = document.createRange()
    let line: { text: string; box: DOMRect } | null = null
    const end = () => {
      if (line === null || line.text.trim() === '') return
      const { text, box } = line
      const x = box.left - this.#box.left
      const y = box.top - this.#box.top + ascentOf(style, box)
      const font = Object.fromEntries(FONT.map((name) => [name, style.getPropertyValue(name)]))
      this.#push(
        svg(
          'text',
          { x, y, ...font, fill: fill.color, 'fill-opacity': fill.opacity },
          text.trimEnd(),
        ),
        box,
      )
    }
    let from = 0
    for (const word of node.data.split(/\s/)) {
      range.setStart(node, from)
      range.setEnd(node, from + word.length)
      from += word.length + 1
      const [box] = word === '' ? [] : range.getClientRects()
      if (box === undefined) continue
      const plain = `${word} `
      if (line !== null && Math.abs(line.box.top - box.top) < box.height / 2) line.text += plain
      else {
        end()
        line = { text: plain, box }
      }
    }
    end()
  }

  /** A chart in the page, with its styles as attributes. */
  #chart(chart: SVGSVGElement): void {
    const matrix = chart.getScreenCTM()
    const box = chart.getBoundingClientRect()
    if (matrix === null || box.width === 0) return
    const { a, b, c, d, e, f } = matrix
    const moved = [a, b, c, d, e - this.#box.left, f - this.#box.top].join(' ')
    const id = `clip-${(this.#clips += 1)}`
    const at = { x: box.left - this.#box.left, y: box.top - this.#box.top }
    const clip = svg(
      'clipPath',
      { id },
      svg('rect', { ...at, width: box.width, height: box.height }),
    )
    const children = [...chart.children].flatMap((child) => this.#copy(child))
    const inner = svg('g', { transform: `matrix(${moved})` }, ...children)
    this.#push(svg('g', { 'clip-path': `url(#${id})` }, inner), box)
    this.#push(clip, box)
  }

  #copy(original: Element): SVGElement[] {
    const style = getComputedStyle(original)
    if (style.display === 'none' || style.visibility === 'hidden') return []
    const copy = original.cloneNode(false) as SVGElement
    for (const name of copy.getAttributeNames())
      if (!SHAPE_ATTRIBUTES.test(name)) copy.removeAttribute(name)
    for (const name of SHAPE_PROPERTIES) copy.setAttribute(name, style.getPropertyValue(name))
    for (const name of ['fill', 'stroke']) {
      const paint = style.getPropertyValue(name)
      const isPlain = paint === 'none' || paint.startsWith('url')
      const { color, opacity } = isPlain ? { color: paint, opacity: 1 } : rgbOf(paint)
      copy.setAttribute(name, opacity === 0 ? 'none' : color)
      if (opacity > 0 && opacity < 1) copy.setAttribute(`${name}-opacity`, String(opacity))
    }
    const children = [...original.childNodes].flatMap((child): (SVGElement | Text)[] => {
      if (child instanceof SVGElement) return this.#copy(child)
      return child instanceof Text ? [document.createTextNode(child.data)] : []
    })
    copy.append(...children)
    return [copy]
  }

  #push(shape: SVGElement, box: DOMRect): void {
    this.#shapes.push(shape)
    this.#bottom = Math.max(this.#bottom, box.bottom - this.#box.top)
  }
}

const CUT = `The picture ends here: it has ${SHAPES_MAX} shapes.`

/** Attributes that make up a shape; the others are for the page. */
const SHAPE_ATTRIBUTES = /^(?:d|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|width|height|points|transform)$/

/** Distance of the baseline from the top of a line's box. */
function ascentOf(style: CSSStyleDeclaration, box: DOMRect): number {
  if (canvas === null) return box.height * 0.8
  canvas.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`
  const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = canvas.measureText('x')
  return (box.height - ascent - descent) / 2 + ascent
}

/** A colour as drawing programs read it. */
function rgbOf(color: string): { color: string; opacity: number } {
  if (canvas === null) return { color, opacity: 1 }
  canvas.clearRect(0, 0, 1, 1)
  canvas.fillStyle = color
  canvas.fillRect(0, 0, 1, 1)
  const [r = 0, g = 0, b = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data
  const hex = [r, g, b].map((value) => value.toString(16).padStart(2, '0')).join('')
  return { color: `#${hex}`, opacity: Math.round((100 * alpha) / 255) / 100 }
}
