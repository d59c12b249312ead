/** Choices on the report's page in a browser: days, source, and the address that describes them. */

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { eachPage, launch } from '../../support/report/browser.ts'
import { busyWarehouse } from '../../support/report/report-data.ts'

describe.skipIf(launch === null)('a choice', () => {
  let warehouse: Warehouse
  let browser: Browser
  let page: Page
  let file: string

  eachPage(
    async () => {
      warehouse = await busyWarehouse()
      return reportPage(await collect(warehouse, 'order', 'properties.plan'))
    },
    (opened) => ({ page, browser, file } = opened),
  )
  afterAll(() => warehouse.close())

  const countOf = async (sql: string) => Number((await warehouse.query(sql))[0]?.['n'])
  const entered = () => page.locator('#funnel .funnel-head span').first().innerText()
  const address = () => page.evaluate<string>('location.hash')

  test('of days recomputes the funnel, and can be taken back', async () => {
    const all = await entered()
    await page.getByLabel('From').fill('2026-03-02')
    await page.getByLabel('To', { exact: true }).fill('2026-03-03')
    const n = await countOf(
      `select count(*) as n from funnel_units where funnel = 'purchase'
       and cast(entered_at as date) between date '2026-03-02' and date '2026-03-03'`,
    )
    expect(await entered()).toBe(String(n))
    expect(await address()).toBe('#from=2026-03-02&to=2026-03-03')
    expect(await page.locator('.slice').innerText()).toContain('2 Mar 2026 to 3 Mar 2026')
    expect(await page.locator('#durations .scope').innerText()).toBe(
      'of stays that began then, to within 5 %',
    )
    expect(await page.locator('#rework .scope').innerText()).toBe('of the whole period')
    await page.getByRole('button', { name: 'Show everything' }).click()
    expect(await entered()).toBe(all)
    expect(await address()).toBe('')
  })

  test('of a source recomputes the map with the keyboard alone', async () => {
    await page.locator('[name=source]').focus()
    await page.keyboard.press('w')
    const n = await countOf(
      `select count(*) as n from transitions where journey = 'order'
       and from_state = 'cart' and to_state = 'paying' and source = 'web'`,
    )
    const way = page.getByRole('button', { name: `cart to paying, by event, ${n} times` })
    expect(await way.count()).toBe(1)
    expect(await page.evaluate<string>('document.activeElement.name')).toBe('source')
    expect(await address()).toBe('#source=web')
  })

  test('of a value of the property recomputes the map and the cycles', async () => {
    await page.getByLabel('properties.plan').selectOption('free')
    const group = `profile_id in (select profile_id from event_profiles natural join events
      where json_extract_string(properties, '$.plan') = 'free')`
    const moves = await countOf(
      `select count(*) as n from transitions where journey = 'order'
       and from_state = 'cart' and to_state = 'paying' and ${group}`,
    )
    const way = page.getByRole('button', { name: `cart to paying, by event, ${moves} times` })
    expect(await way.count()).toBe(1)
    const rounds = await countOf(
      `select count(*) as n from cycles where journey = 'order'
       and path = 'cart > lost > cart' and ${group}`,
    )
    const row = page.locator('#cycles tr', { hasText: 'cart→lost→cart' })
    expect(await row.locator('td .cell').allInnerTexts()).toContain(String(rounds))
    expect(await address()).toBe('#group=free')
    expect(await page.locator('#variants .scope').innerText()).toBe(
      'of all values of properties.plan',
    )
  })

  test('is in the address, which shows the same page again', async () => {
    await page.locator('[name=source]').selectOption('ios')
    await page.getByLabel('From').fill('2026-03-02')
    await page.locator('.map .state', { hasText: 'paying' }).click()
    const shown = await page.locator('main').innerText()
    const hash = await address()
    expect(hash).toBe('#from=2026-03-02&to=2026-03-06&source=ios&state=paying')
    const other = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await other.goto(pathToFileURL(file).href + hash)
    expect(await other.locator('main').innerText()).toBe(shown)
    await other.close()
  })

  test('that an address describes wrongly shows everything', async () => {
    const all = await page.locator('#funnel').innerText()
    await page.evaluate('location.hash = "journey=nope&from=yesterday&state=nope&move=a"')
    expect(await page.locator('#funnel').innerText()).toBe(all)
    expect(await page.locator('.filter').isVisible()).toBe(false)
  })

  test('of two sources shows both side by side, and is in the address', async () => {
    await page.getByLabel('First').selectOption('web')
    await page.getByLabel('Second').selectOption('ios')
    expect(await address()).toBe('#first=source+web&second=source+ios')
    expect(await page.evaluate<string>('document.activeElement.name')).toBe('second')
    const [row = {}] = await warehouse.query(
      `select round(100 * matured_rate) as rate, matured_count from funnel_by_source
       where funnel = 'purchase' and touch = 'entry' and source = 'ios'`,
    )
    const table = page.locator('#compare table', { hasText: 'purchase: web beside ios' })
    const whole = await table
      .locator('tr', { hasText: 'Whole funnel' })
      .locator('td')
      .allInnerTexts()
    expect(whole[1]).toBe(`${row['rate']} % of ${row['matured_count']}`)
    await page.reload()
    expect(await page.getByLabel('Second').inputValue()).not.toBe('-1')
    const csv = await saved(page.locator('#compare').getByRole('button', { name: 'CSV' }))
    expect(csv.text).toContain('purchase,Whole funnel,')
  })

  test('is in the query, the CSV and the picture of a block', async () => {
    await page.locator('[name=source]').selectOption('web')
    const block = page.locator('#cycles')
    await block.getByRole('button', { name: 'Copy SQL' }).click()
    const sql = await block.locator('.query').innerText()
    const rows = await warehouse.query(sql)
    const [best = {}] = rows
    const csv = await saved(block.getByRole('button', { name: 'CSV' }))
    expect(csv.name).toBe('cycles.csv')
    const lines = csv.text.trimEnd().split('\r\n')
    expect(lines).toHaveLength(rows.length + 1)
    expect(lines[0]).toBe('path,times,total_duration_ms,median_duration_ms,people_lost')
    expect(csv.text).toContain(
      [best['path'], best['times'], best['total_duration_ms']].map(String).join(','),
    )
    const picture = await saved(block.getByRole('button', { name: 'SVG' }))
    expect(picture.name).toBe('cycles.svg')
    const drawn = await page.evaluate<string>(
      `new DOMParser().parseFromString(${JSON.stringify(picture.text)}, 'image/svg+xml')
        .documentElement.textContent`,
    )
    expect(drawn).toContain('cart→lost→cart')
    expect(picture.text).not.toMatch(/foreignObject|<div|class=/)
  })

  test('has pictures of shapes and texts in plain colours', async () => {
    await page.getByLabel('Second').selectOption('ios')
    for (const name of ['map', 'funnel', 'compare', 'changes', 'durations', 'standing']) {
      const picture = await saved(page.locator(`#${name}`).getByRole('button', { name: 'SVG' }))
      const own = await browser.newPage()
      await own.goto('about:blank')
      await own.setContent(picture.text)
      const outside = await own.locator('svg').evaluate((element) => {
        const all = element.getBoundingClientRect()
        const texts = [...element.querySelectorAll('text')]
        return texts
          .filter((text) => text.closest('[clip-path]') === null)
          .filter((text) => {
            const box = text.getBoundingClientRect()
            return box.right > all.right || box.bottom > all.bottom || box.left < all.left
          })
          .map(({ textContent }) => textContent)
      })
      expect(outside).toEqual([])
      expect(await own.locator('rect, line, path').count()).toBeGreaterThan(1)
      expect(await own.locator('text').count()).toBeGreaterThan(5)
      expect(picture.text).not.toMatch(/foreignObject|var\(|color\(/)
      await own.close()
    }
  })

  async function saved(button: Locator): Promise<{ name: string; text: string }> {
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()])
    return {
      name: download.suggestedFilename(),
      text: readFileSync(await download.path(), 'utf8'),
    }
  }
})
