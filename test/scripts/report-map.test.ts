/** The map of a track with many ways in a browser: what is drawn, what is left out, and its zoom. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reportPage } from '../../scripts/report/bundle.ts'
import { collect } from '../../scripts/report/collect.ts'
import { HOOK_MS, launch, openPage } from '../support/browser.ts'
import { manyWays } from '../support/many-ways.ts'
import { reportWarehouse } from '../support/report-data.ts'

describe.skipIf(launch === null)('the map of many ways', () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-map-'))
  const file = join(dir, 'report.html')
  const { states, ways } = manyWays()
  let browser: Browser
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    const warehouse = await reportWarehouse()
    const document = await collect(warehouse, 'order')
    await warehouse.close()
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
    writeFileSync(file, await reportPage({ ...document, journeys }))
    browser = await (launch as NonNullable<typeof launch>)()
  }, HOOK_MS)
  afterAll(async () => {
    await browser.close()
    rmSync(dir, { recursive: true })
  }, HOOK_MS)

  beforeEach(async () => {
    ;({ page, complaints } = await openPage(browser, file))
  }, HOOK_MS)
  afterEach(async () => {
    await page.close()
    expect(complaints).toEqual([])
  }, HOOK_MS)

  const zoom = () => page.locator('.map-canvas').getAttribute('data-zoom')
  const layer = () => page.locator('.map-layer').getAttribute('transform')
  const slider = () => page.getByRole('slider', { name: 'Ways drawn' })
  const note = () => page.locator('#map .note').first().innerText()

  test('shows ways back at first, and counts all that it leaves out', async () => {
    const drawn = await page.locator('.map .way').count()
    const back = await page.locator('.map .way.is-back').count()
    expect(back).toBeGreaterThan(20)
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
})
