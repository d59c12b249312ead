/**
 * The report's page in a browser: what a click filters, what hovering tells, and that it asks for
 * nothing and is read as nothing but text.
 */

import type { Page } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { reportPage } from '../../../scripts/report/bundle.ts'
import { collect } from '../../../scripts/report/collect/collect.ts'
import { eachPage, HOOK_MS, launch } from '../../support/report/browser.ts'
import { EVIL, reportWarehouse } from '../../support/report/report-data.ts'

/** Selects time in state, without later visits. */
const STATES = '#durations li:not(.is-again) .duration-name'

describe.skipIf(launch === null)('the page', () => {
  let warehouse: Warehouse
  let page: Page

  eachPage(
    async () => {
      warehouse = await reportWarehouse()
      return reportPage(await collect(warehouse, null))
    },
    (opened) => ({ page } = opened),
  )
  beforeEach(() => page.getByRole('button', { name: 'order', exact: true }).click(), HOOK_MS)
  afterAll(() => warehouse.close())

  const state = (name: string) => page.locator('.map .state', { hasText: name })
  const texts = (selector: string) => page.locator(selector).allTextContents()
  const filterBar = () => page.locator('.filter')
  const focusedName = () =>
    page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`)
  const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

  test('a click on a state shows what goes through it, another takes that back', async () => {
    expect(await texts(STATES)).toEqual(['cart', 'paying', 'lost', 'bought'])
    await state('lost').click()
    expect(await state('lost').getAttribute('aria-pressed')).toBe('true')
    expect(await filterBar().innerText()).toContain(
      'Showing what goes through lost: entered 2 times by 2 people',
    )
    expect(await texts(STATES)).toEqual(['lost'])
    expect(await texts('#cycles .nothing')).toEqual(['None of these cycles goes through lost.'])
    expect(await texts('#variants tbody th')).toEqual(['cart→lost', 'cart→paying→cart→lost'])
    await state('lost').click()
    expect(await filterBar().isVisible()).toBe(false)
    expect(await texts(STATES)).toHaveLength(4)
  })

  test('a way is chosen with the keyboard, and left with Escape or the button', async () => {
    const way = page.getByRole('button', { name: 'paying to cart, by event, 2 times' })
    await way.focus()
    await page.keyboard.press('Enter')
    expect(await focusedName()).toContain('paying to cart, by event, 2 times')
    expect(await filterBar().innerText()).toContain('paying → cart: 2 times')
    expect(await texts('#cycles tbody th')).toEqual(['cart→paying→cart'])
    expect(await texts('#variants tbody th')).toHaveLength(2)
    await page.keyboard.press('Escape')
    expect(await filterBar().isVisible()).toBe(false)
    await way.focus()
    await page.keyboard.press(' ')
    await page.getByRole('button', { name: 'Clear filter' }).click()
    expect(await focusedName()).toContain('paying to cart, by event, 2 times')
    expect(await texts('#variants tbody th')).toHaveLength(4)
  })

  test('hovering tells the numbers of the tables', async () => {
    const [row] = await warehouse.query(
      `select count(*) as entered, count(distinct profile_id) as people from states
       where journey = 'order' and state = 'cart'`,
    )
    await state('cart').hover()
    const told = await page.locator('.tooltip').innerText()
    expect(told).toContain(`${row?.['entered']} times`)
    expect(told).toContain(`${row?.['people']} people`)
    await page.locator('h1').hover()
    expect(await page.locator('.tooltip').isVisible()).toBe(false)
  })

  test('a selected day is highlighted in every chart', async () => {
    const charts = page.locator('#standing figure')
    const values = page.locator('#standing .multiple-value')
    expect(await values.allTextContents()).toEqual(['1', '2', '1'])
    await charts
      .first()
      .locator('svg')
      .hover({ position: { x: 2, y: 30 } })
    expect(await values.allTextContents()).toEqual(['0', '2', '1'])
    expect(await charts.first().innerText()).toContain('1 Mar 2026')
  })

  test('journeys and their tracks can be chosen', async () => {
    await page.getByRole('button', { name: 'care', exact: true }).click()
    expect(await page.locator('h1').innerText()).toContain('care')
    expect(await texts('.map .state-name')).toContain('quiet')
    await page.getByRole('button', { name: 'mood', exact: true }).click()
    expect(await texts('.map .state-name')).toContain('fine')
  })

  test('follows the colour scheme of the system until another is chosen', async () => {
    const light = await background()
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.getByRole('button', { name: 'Use light colours' }).click()
    expect(await background()).toBe(light)
    await page.getByRole('button', { name: 'Use dark colours' }).click()
    expect(await background()).toBe(dark)
  })

  test('a name that wants to be markup is text', async () => {
    expect(await page.title()).toBe('care, order · Desire Path')
    expect(await page.locator('img').count()).toBe(0)
    expect(await texts('#quality tbody th')).toEqual([EVIL])
    await page.getByText('The map as a table').click()
    await page.locator('#map td', { hasText: EVIL }).waitFor()
  })

  test('it fits a phone, and paper', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBe(360)
    await state('cart').click()
    expect(await filterBar().isVisible()).toBe(true)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await filterBar().isVisible()).toBe(false)
    expect(await page.locator('.scheme').isVisible()).toBe(false)
    expect(await background()).toBe('rgb(255, 255, 255)')
  })

  test('has its parts behind their headings on a phone, and all of them on paper', async () => {
    await page.setViewportSize({ width: 390, height: 800 })
    const cycles = page.locator('#cycles table')
    expect(await cycles.isVisible()).toBe(false)
    expect(await page.locator('#funnel .funnel').first().isVisible()).toBe(true)
    const heading = page.getByRole('button', { name: 'Cycles', exact: true })
    expect(await heading.getAttribute('aria-expanded')).toBe('false')
    await heading.focus()
    await page.keyboard.press('Enter')
    expect(await cycles.isVisible()).toBe(true)
    await state('cart').click()
    expect(await cycles.isVisible()).toBe(true)
    expect(await page.locator('#variants table').isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('#variants table').isVisible()).toBe(true)
    await page.emulateMedia({ media: 'screen' })
    await page.setViewportSize({ width: 1280, height: 800 })
    expect(await page.locator('#variants table').isVisible()).toBe(true)
  })

  test('every part has a heading, and every control a name', async () => {
    expect(await texts('h2')).toEqual([
      'The map',
      'Funnel',
      'What changed',
      'Cycles',
      'After a drop-off',
      'Entered again',
      'Time in state',
      'Who stands where',
      'Whole paths',
      'Data quality',
    ])
    const controls = page.locator('button, [role=button], [role=img], input')
    const names = await controls.evaluateAll((elements) =>
      elements.map((element) => {
        const named = element.closest('label') ?? element
        return element.getAttribute('aria-label') ?? named.textContent
      }),
    )
    expect(names.filter((name) => name === null || name === '')).toEqual([])
  })
})
