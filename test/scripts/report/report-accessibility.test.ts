/** axe-core finds nothing on the report's page, whatever it shows, in the light on a desk and in the dark on a phone. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { isLong } from '../../support/long.ts'
import { axeFindings } from '../../support/report/axe.ts'
import { HOOK_MS, launch, openPage } from '../../support/report/browser.ts'
import { startCommands } from '../../support/commands.ts'
import { Harness } from '../../support/dump.ts'
import { BASE, busyWarehouse, JOURNEYS } from '../../support/report/report-data.ts'

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

describe.skipIf(launch === null)('axe-core', () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-axe-'))
  let browser: Browser
  beforeAll(async () => {
    browser = await (launch as NonNullable<typeof launch>)()
  }, HOOK_MS)
  afterAll(() => rmSync(dir, { recursive: true }))

  test.each(isLong ? REPORTS : REPORTS.slice(0, 1))(
    'finds nothing on %s',
    async (_name, hash, made) => {
      const warehouse = await made()
      const file = join(dir, 'report.html')
      writeFileSync(file, await reportPage(await collect(warehouse, null)))
      await warehouse.close()
      const { page } = await openPage(browser, file)
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
      expect(await axeFindings(page)).toEqual([])
      await page.close()
    },
    HOOK_MS,
  )

  test.skipIf(!isLong)(
    'finds nothing on the pages of the bundled sample',
    async () => {
      const command = startCommands()
      const url = `duckdb:${join(dir, 'sample.duckdb')}`
      const files = [join(dir, 'sample.html'), join(dir, 'person.html')] as const
      await command('start', ['--warehouse', url])
      await command('report', ['--warehouse', url, '--out', files[0]])
      await command('explain', ['--warehouse', url, '--user', 'u-788', '--html', files[1]])
      for (const own of files) {
        const { page } = await openPage(browser, own)
        expect(await axeFindings(page)).toEqual([])
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390)
        await page.close()
      }
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
