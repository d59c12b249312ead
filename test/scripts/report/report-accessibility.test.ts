/** axe-core finds nothing on the report's page, whatever it shows, in the light on a desk and in the dark on a phone. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { HOOK_MS, launch, openPage } from '../../support/report/browser.ts'
import { Harness } from '../../support/dump.ts'
import { BASE, busyWarehouse, JOURNEYS } from '../../support/report/report-data.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const NAMES = Array.from({ length: 30 }, (_, i) => `state_${i}`)

async function fed(journeys: Journey[], lines: object[]): Promise<Warehouse> {
  const harness = new Harness(makeDefinitions({ journeys }))
  await harness.feed(lines.map((line) => JSON.stringify(line)))
  return harness.warehouse
}

const event = (i: number, name: string) => ({
  event_id: `e${i}`,
  name,
  occurred_at: BASE + i * 60_000,
  source: 'web',
  identifiers: { user_id: `p${i % 7}` },
})

const REPORTS: [name: string, hash: string, made: () => Promise<Warehouse>][] = [
  ['a busy report', 'journey=order&source=web&second=source+ios&state=cart', busyWarehouse],
  ['a report of nobody', '', () => fed(JOURNEYS, [event(0, 'Seen')])],
  [
    'a report of 30 states',
    '',
    () =>
      fed(
        [
          {
            id: 'maze',
            version: 1,
            initial: NAMES[0] as string,
            states: Object.fromEntries(
              NAMES.map((name, i) => [
                name,
                {
                  on: { next: NAMES[(i + 1) % 30] as string, skip: NAMES[(i + 7) % 30] as string },
                },
              ]),
            ),
          },
        ],
        Array.from({ length: 900 }, (_, i) => event(i, i % 11 === 0 ? 'skip' : 'next')),
      ),
  ],
]

type Finding = { id: string; nodes: { target: string[] }[] }

async function findings(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<{ violations: Finding[] }>('axe.run()')
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
}

describe.skipIf(launch === null)('axe-core', () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-axe-'))
  let browser: Browser
  beforeAll(async () => {
    browser = await (launch as NonNullable<typeof launch>)()
  }, HOOK_MS)
  afterAll(async () => {
    await browser.close()
    rmSync(dir, { recursive: true })
  }, HOOK_MS)

  test.each(REPORTS)(
    'finds nothing on %s',
    async (_name, hash, made) => {
      const warehouse = await made()
      const file = join(dir, 'report.html')
      writeFileSync(file, await reportPage(await collect(warehouse, null)))
      await warehouse.close()
      const { page } = await openPage(browser, file)
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
      await page.evaluate(AXE)
      expect(await findings(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 390, height: 800 })
      expect(await findings(page)).toEqual([])
      await page.close()
    },
    HOOK_MS,
  )

  test('the first key leads past the header to the content', async () => {
    const { page } = await openPage(browser, join(dir, 'report.html'))
    await page.keyboard.press('Tab')
    const focused = page.locator(':focus')
    expect(await focused.innerText()).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('MAIN')
    expect(await page.evaluate<string>('location.hash')).toBe('')
    await page.close()
  })
})
