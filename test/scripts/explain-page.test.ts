/**
 * Explanation page in a browser: for every selected time it shows what `explain --as-of` prints and
 * the states in the tables at that time. Names are never parsed as markup.
 */

import { printable } from '../../pipeline/base/text.ts'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import { formatInstant, now } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { StoryDocument } from '../../scripts/explain/document.ts'
import { eachPage, launch } from '../support/report/browser.ts'
import { startCommands } from '../support/commands.ts'
import { EVIL } from '../support/report/report-data.ts'
import { ndjsonOf, type ShortEvent } from '../support/short-events.ts'

/** Id with right-to-left text and quotes, wider than any screen. */
const LONG_ID = `\u202e"'&lt;${'w'.repeat(240)}`

describe.skipIf(launch === null)('the explanation page', () => {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-story-'))
  const url = `duckdb:${dir}/w.duckdb`
  const file = join(dir, 'story.html')
  let page: Page
  let story: StoryDocument

  const command = startCommands()
  async function run(script: string, args: string[], input = ''): Promise<string> {
    const { status, stdout, stderr } = await command(script, ['--warehouse', url, ...args], input)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return stdout
  }

  async function feed(...events: ShortEvent[]): Promise<void> {
    await run('start', ['--definitions', join(dir, 'definitions'), '-'], ndjsonOf(events))
  }

  eachPage(
    async () => {
      mkdirSync(join(dir, 'definitions', 'journeys'), { recursive: true })
      writeFileSync(
        join(dir, 'definitions', 'journeys', 'buy.js'),
        `export default { id: 'buy', version: 1, initial: 'cart', startOn: ['Added'], states: {
         cart: { on: { Paid: { target: 'paid', guard: { property: 'value', gte: 10 } } },
           after: { '1h': 'left' }, ignore: [${JSON.stringify(EVIL)}] },
         left: { on: { Added: 'cart' } }, paid: { after: { '2d': 'kept' } },
         kept: { type: 'final' } } }`,
      )
      const phone = { anonymous_id: 'a1' }
      const user = { user_id: 'u1' }
      await feed(['e1', 'Added', '10:00', phone], ['e2', 'Paid', '10:10', phone, EVIL])
      await feed(['e3', EVIL, '10:05', { ...phone, ...user }], ['e4', 'Seen', '12:00', user])
      await feed(['e5', 'Added', '12:30', user], [LONG_ID, 'Paid', '12:40', user, 25])
      const third = String(now() / 1_000)
      await feed(['late', 'Paid', '10:20', phone, 20])
      const args = ['--user', 'u1', '--as-of', third, '--html', file]
      expect(await run('explain', args)).toMatch(/KB, open it in a browser/)
      const [, data = ''] = /id="document">(.*?)<\/script>/s.exec(readFileSync(file, 'utf8')) ?? []
      story = JSON.parse(data) as StoryDocument
      return readFileSync(file, 'utf8')
    },
    (opened) => ({ page } = opened),
  )
  afterAll(() => rmSync(dir, { recursive: true }))

  const texts = (selector: string) => page.locator(selector).allTextContents()
  const slider = (name: string) => page.getByRole('slider', { name })

  /** Moves a slider with the keyboard. */
  async function choose(name: string, place: number): Promise<void> {
    await slider(name).focus()
    await page.keyboard.press('Home')
    for (let i = 0; i < place; i++) await page.keyboard.press('ArrowRight')
  }

  /** Returns a part of the page as the lines that the command prints. */
  async function shown(part: string): Promise<string[]> {
    const rows = page.locator(`#${part} .timeline > li:not(.mark)`)
    const lines = await rows.evaluateAll((elements) =>
      elements.map((row) => {
        const told = [...row.querySelectorAll('.outcomes > li')].map((line) => line.textContent)
        const time = row.querySelector('time')?.textContent
        if (time === undefined) return [row.textContent]
        const event = row.querySelector('.event')
        const words = row.querySelector('div')?.textContent
        if (event === null) return [`${time}  ${told.length > 0 ? told.join() : words}`]
        const names = [...event.children].map((child) => child.textContent)
        return [`${time}  ${names.join('  ')}`, ...told]
      }),
    )
    return lines.flat().flatMap((line) => (line === null ? [] : [printable(line)]))
  }

  /** Returns a part of the output of `explain`. */
  function printed(text: string, title: string): string[] {
    const [, part = ''] = new RegExp(`\n${title}\n(.*?)(\n\n|$)`, 's').exec(text) ?? []
    const lines = part.split('\n').map((line) => line.trim())
    return lines.filter((line) => line !== 'nothing')
  }

  test('shows what explain --as-of prints, at every knowledge time', async () => {
    expect(story.revisions).toHaveLength(4)
    for (const [place, { at, profiles }] of story.revisions.entries()) {
      await choose('Knowledge time', place)
      const user = profiles[0]?.profileId as string
      const said = await run('explain', ['--user', user, '--as-of', formatInstant(at)])
      expect(await shown('events')).toEqual(printed(said, 'Events'))
      expect(await shown('pending')).toEqual(printed(said, 'Pending'))
      expect(await shown('identifiers')).toEqual(printed(said, 'Identifiers'))
    }
  })

  test('shows the state that the tables had, at every pair of times', async () => {
    const warehouse = duckdbWarehouse(join(dir, 'w.duckdb'))
    await warehouse.open()
    for (const [revision, { at, watermark }] of story.revisions.entries()) {
      await choose('Knowledge time', revision)
      for (const [place, moment] of story.moments.entries()) {
        if (watermark === null || moment > watermark) continue
        await choose('Event time', place)
        const rows = await warehouse.query(
          `select state from states_as_of(timestamp '${formatInstant(at)}')
           where entered_at <= timestamp '${formatInstant(moment)}'
           qualify row_number() over (order by entered_at desc) = 1`,
        )
        const stood = await texts('.standing .value')
        const expected = rows.map((row) => row['state'])
        expect({ at, moment, stood }).toEqual({ at, moment, stood: expected })
      }
    }
    await warehouse.close()
  })

  test('marks corrections, with their time and reason', async () => {
    await choose('Knowledge time', 2)
    const wrong = page.locator('#events .is-wrong')
    const words = (await wrong.allTextContents()).join('\n')
    expect(words).toMatch(/cart → left by timeout.*taken back \S+ \S+ by late event \(batch 4\)/)
    expect(await page.locator('#corrections .is-ahead').count()).toBeGreaterThan(0)
    expect(await texts('.stay')).toEqual(['cart', 'left', 'cart', 'paid'])
    expect(await texts('.stay.is-corrected')).toEqual(['left', 'cart', 'paid'])
    await choose('Knowledge time', 3)
    expect(await wrong.count()).toBe(0)
    expect(await texts('.stay')).toEqual(['cart', 'paid'])
    expect(await texts('.stay.is-corrected')).toEqual([])
    expect(await page.locator('#corrections .is-ahead').count()).toBe(0)
    expect(await texts('#events .is-new .event bdi')).toEqual(['Paid', 'late'])
    await choose('Knowledge time', 0)
    expect((await texts('#events .aside')).join()).toContain('recorded under anonymous_id:a1')
    expect(await texts('.standing .correction')).not.toEqual([])
  })

  test('the name of every stay fits its lane, however narrow the window', async () => {
    await page.setViewportSize({ width: 160, height: 800 })
    await choose('Knowledge time', 2)
    const cut = await page.locator('.stay bdi').evaluateAll((names) =>
      names.filter((name) => {
        const [own, stay] = [name, name.parentElement ?? name].map((one) =>
          one.getBoundingClientRect(),
        )
        const isOutside = (own?.right ?? 0) > (stay?.right ?? 0) + 1
        return isOutside || name.scrollWidth > name.clientWidth + 1
      }),
    )
    expect(cut).toEqual([])
    expect(await texts('.stay')).toEqual(['cart', 'left', 'cart', 'paid'])
  })

  test('opens at the requested knowledge time, and its sliders have names and buttons', async () => {
    const opening = await slider('Knowledge time').getAttribute('aria-valuetext')
    expect(opening).toMatch(/, batch 3$/)
    expect(await page.locator('#corrections .is-ahead').count()).toBe(1)
    const time = slider('Event time')
    expect(await time.getAttribute('aria-valuetext')).toMatch(/^2026-03-01 12:40:00$/)
    await page.getByRole('button', { name: 'Event time: earlier' }).click()
    expect(await time.getAttribute('aria-valuetext')).toMatch(/^2026-03-01 12:30:00$/)
    expect(await page.locator('#events .is-ahead .event .aside').textContent()).toBe(LONG_ID)
    const buttons = page.locator('button')
    const names = await buttons.evaluateAll((all) =>
      all.map((button) => button.getAttribute('aria-label')),
    )
    expect(names.filter((name) => name === null || name === '')).toEqual([])
  })

  test('shows hostile names as text, and fits a phone and paper', async () => {
    expect(await page.title()).toBe('user_id:u1 · Desire Path')
    expect(await page.locator('img').count()).toBe(0)
    expect(await texts('#events .event bdi')).toContain(EVIL)
    expect((await texts('#events .outcomes')).join()).toContain(JSON.stringify(EVIL))
    await choose('Knowledge time', 3)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await slider('Event time').isVisible()).toBe(false)
    expect(await page.locator('.time output').first().isVisible()).toBe(true)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      'rgb(255, 255, 255)',
    )
  })
})
