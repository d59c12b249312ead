/**
 * A report with many ways and long names in a browser: what the map draws and leaves out, its zoom,
 * and that everything fits screens, fingers and paper.
 */

import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import type { ReportDocument } from '../../../scripts/report/document.ts'
import { eachPage, launch } from '../../support/report/browser.ts'
import { manyWays } from '../../support/report/many-ways.ts'
import { reportWarehouse } from '../../support/report/report-data.ts'

/** Selects what can be pressed. The map is as large as it fits. */
const PRESSABLE = 'button, select, summary, input'

/** Contrast of two colours by WCAG 2, in the page, where colours are computed. */
const CONTRAST = `(name, property) => {
  const [canvas] = [document.createElement('canvas').getContext('2d', { willReadFrequently: true })]
  const lightOf = (color) => {
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const share = byte / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const paper = lightOf(getComputedStyle(document.body).backgroundColor)
  const fill = lightOf(getComputedStyle(document.querySelector(name))[property])
  return (Math.max(paper, fill) + 0.05) / (Math.min(paper, fill) + 0.05)
}`

describe.skipIf(launch === null)('a report with many ways and long names', () => {
  const { states, ways } = manyWays()
  let page: Page

  eachPage(
    async () => {
      const warehouse = await reportWarehouse()
      const text = JSON.stringify(await collect(warehouse, 'order'))
      await warehouse.close()
      // Every other part of the page has a long name as well.
      const long = JSON.stringify(`waiting_for_${'confirmation_'.repeat(5)}in_the_cart`)
      const document = JSON.parse(text.replaceAll('"cart"', long)) as ReportDocument
      const [journey] = document.journeys
      const [track] = journey?.tracks ?? []
      if (journey === undefined || track === undefined) throw new Error('order has no track')
      const never = { ...states[0], name: 'never', entered: 0, inside: 0, profileCount: 0 }
      const large = {
        ...track,
        initial: states[0]?.name ?? '',
        states: [...states, never as (typeof states)[number]],
        ways: ways.toSorted((a, b) => b.count - a.count),
        waysLeftOut: { paths: 2, times: 5 },
      }
      const journeys = [{ ...journey, tracks: [large] }]
      return reportPage({ ...document, journeys })
    },
    (opened) => ({ page } = opened),
  )

  const zoom = () => page.locator('.map-canvas').getAttribute('data-zoom')
  const layer = () => page.locator('.map-layer').getAttribute('transform')
  const slider = () => page.getByRole('slider', { name: 'Ways drawn' })
  const note = () => page.locator('#map .note').first().innerText()

  test('shows ways back at first, and counts all that it leaves out', async () => {
    const drawn = await page.locator('.map .way').count()
    const back = await page.locator('.map .way.is-back').count()
    expect(back).toBe(24)
    const hidden = 99 - drawn
    const [, hiddenText, movesText] = /Not drawn: (\d+) rarer ways with ([\d,]+) moves/.exec(
      await note(),
    ) as unknown as string[]
    expect(Number(hiddenText)).toBe(hidden)
    const labels = await page
      .locator('.map .way')
      .evaluateAll((all) =>
        all.map((way) =>
          Number(
            /([\d,]+) times/.exec(way.getAttribute('aria-label') ?? '')?.[1]?.replace(',', ''),
          ),
        ),
      )
    const all = ways.reduce((total, { count }) => total + count, 0)
    const shown = labels.reduce((total, times) => total + times, 0)
    expect(Number(movesText?.replace(',', ''))).toBe(all - shown)
    expect(await note()).toContain(`Of the 43 ways back, ${43 - back} with`)
    expect(await note()).toContain('2 rarer ways with 5 moves are not on this page')
  })

  test('draws every state, whatever ways are drawn', async () => {
    const all = states.length + 1
    expect(await page.locator('.map .state').count()).toBe(all)
    expect(await page.locator('.map .state.is-never').count()).toBe(1)
    await slider().fill('1')
    expect(await page.locator('.map .way').count()).toBe(1)
    expect(await page.locator('.map .state').count()).toBe(all)
    await slider().fill('99')
    expect(await page.locator('.map .way').count()).toBe(99)
    expect(await note()).not.toContain('Not drawn')
  })

  test('the keyboard meets the states first, then the commonest way', async () => {
    await page.locator('.map .state').last().focus()
    await page.keyboard.press('Tab')
    const label = await page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`)
    expect(label).toContain('1,000 times')
  })

  test('fits at first, and zooms and pans by keyboard', async () => {
    const [map, canvas] = await Promise.all(
      ['.map-layer', '.map-canvas'].map((name) => page.locator(name).boundingBox()),
    )
    expect(map?.width).toBeLessThanOrEqual((canvas?.width ?? 0) + 4)
    expect(map?.height).toBeLessThanOrEqual((canvas?.height ?? 0) + 4)
    expect(await zoom()).toBe('1.00')
    await page.locator('.map .state').first().focus()
    await page.keyboard.press('+')
    await page.keyboard.press('+')
    expect(await zoom()).toBe('1.96')
    const before = await layer()
    await page.keyboard.press('ArrowDown')
    expect(await layer()).not.toBe(before)
    await page.keyboard.press('-')
    expect(await zoom()).toBe('1.40')
    await page.keyboard.press('0')
    expect(await zoom()).toBe('1.00')
    expect(await layer()).toBe('translate(0,0) scale(1)')
  })

  test('what the keyboard reaches comes into sight in a zoomed map', async () => {
    const zoomIn = page.getByRole('button', { name: 'Zoom in' })
    for (let i = 0; i < 5; i++) await zoomIn.click()
    for (const no of [0, states.length - 1]) {
      await page.keyboard.press('Shift')
      await page.locator('.map .state').nth(no).focus()
      const [state, canvas] = await Promise.all([
        page.locator('.map .state').nth(no).boundingBox(),
        page.locator('.map-canvas').boundingBox(),
      ])
      const middle = (state?.y ?? 0) + (state?.height ?? 0) / 2
      expect(middle).toBeGreaterThan(canvas?.y ?? 0)
      expect(middle).toBeLessThan((canvas?.y ?? 0) + (canvas?.height ?? 0))
    }
  })

  test('the wheel zooms with Ctrl, and a drag moves the map without a click', async () => {
    const canvas = page.locator('.map-canvas')
    await canvas.scrollIntoViewIfNeeded()
    await canvas.hover({ position: { x: 40, y: 200 } })
    await page.mouse.wheel(0, -200)
    expect(await zoom()).toBe('1.00')
    await canvas.scrollIntoViewIfNeeded()
    await page.locator('.map .state').first().hover()
    await page.keyboard.down('Control')
    await page.mouse.wheel(0, -600)
    await page.keyboard.up('Control')
    await page.waitForFunction(`document.querySelector('.map-canvas').dataset.zoom > 1`)
    const before = await layer()
    await page.mouse.down()
    await page.mouse.move(400, 500, { steps: 4 })
    await page.mouse.up()
    expect(await layer()).not.toBe(before)
    expect(await page.locator('.filter').isVisible()).toBe(false)
  })

  test.each([390, 1440])('no text is wider than a window of %s pixels', async (width) => {
    await page.setViewportSize({ width, height: 900 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    const outside = await page.locator('main *:not(svg *)').evaluateAll(
      (all, right) =>
        all
          .filter((element) => {
            // A label of the axis is centred on its line, the last one's too.
            if (element.closest('.scroll, caption, .duration-axis') !== null) return false
            const box = element.getBoundingClientRect()
            const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
            return box.left < 0 || box.right > right || isCut
          })
          .map((element) => `${element.className} ${element.textContent?.slice(0, 40)}`),
      width,
    )
    expect(outside).toEqual([])
  })

  test('everything that can be pressed on a phone is 44 pixels high', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const small = await page.locator(PRESSABLE).evaluateAll((all) =>
      all
        .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.height < 44 || box.width < 44))
        .map(({ text, box }) => `${text} ${box.width} × ${box.height}`),
    )
    expect(small).toEqual([])
  })

  test('paper has every part, and the whole map with its table', async () => {
    await page.getByRole('button', { name: 'Zoom in' }).click()
    await page.emulateMedia({ media: 'print' })
    const rows = page.locator('#map details tbody tr')
    await rows.first().waitFor()
    expect(await rows.count()).toBe(99)
    const sections = page.locator('main section')
    for (const section of await sections.all()) {
      expect(await section.locator('h2').isVisible()).toBe(true)
      expect((await section.boundingBox())?.height).toBeGreaterThan(60)
    }
    const widthOf = async (name: string) => (await page.locator(name).boundingBox())?.width ?? 0
    await expect
      .poll(async () => (await widthOf('.map-layer')) - (await widthOf('.map-canvas')))
      .toBeLessThanOrEqual(4)
    await page.emulateMedia({ media: 'screen' })
    await rows.first().waitFor({ state: 'hidden' })
  })

  test.each(['light', 'dark'] as const)('fills can be told from %s paper', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    for (const [name, property] of [
      ['.swatch.is-converted', 'backgroundColor'],
      ['.swatch.is-dropped', 'backgroundColor'],
      ['.range, .dot', 'backgroundColor'],
      ['.way.is-back .body', 'stroke'],
      ['.way.is-on .body', 'stroke'],
    ]) {
      const contrast = await page.evaluate(`(${CONTRAST})('${name}', '${property}')`)
      expect({ name, isEnough: Number(contrast) >= 3 }).toEqual({ name, isEnough: true })
    }
  })

  test('a tooltip comes with the focus, and goes with it', async () => {
    await page.locator('#funnel h3').first().scrollIntoViewIfNeeded()
    await page.keyboard.press('Tab')
    await page.locator('#funnel li[tabindex]').first().focus()
    expect(await page.locator('.tooltip').innerText()).toContain('Dropped out')
    await page.locator('.scheme').focus()
    expect(await page.locator('.tooltip').isVisible()).toBe(false)
  })
})
