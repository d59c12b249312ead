/**
 * Headless browser for page tests: Debian's Chromium, driven by playwright-core. Without Chromium
 * the tests are skipped with one line; with REQUIRE_BROWSER=1 they fail.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
])
/** Starting a browser on a busy machine takes long. */
export const HOOK_MS = 300_000

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser && process.env['REQUIRE_BROWSER'] === '1') {
  throw new Error(`REQUIRE_BROWSER=1, but ${CHROMIUM} does not exist: apt-get install -y chromium`)
}
if (!hasBrowser) console.log(`skipped: ${CHROMIUM} does not exist; apt-get install -y chromium`)

let shared: Promise<Browser> | null = null

/** Starts the browser of this process, which ends with it; null if Chromium is not installed. */
export const launch: (() => Promise<Browser>) | null = hasBrowser
  ? () => (shared ??= chromium.launch({ executablePath: CHROMIUM, args: ARGS }))
  : null

/** Opens a file as a page in the light theme. Collects errors, dialogs, and any request except the
 * one for the file. */
export async function openPage(
  browser: Browser,
  file: string,
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({
    colorScheme: 'light',
    viewport: { width: 1280, height: 900 },
  })
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('dialog', (dialog) => complaints.push(dialog.message()))
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(file).href) complaints.push(request.url())
  })
  await page.goto(pathToFileURL(file).href)
  return { page, complaints }
}

/** Open page of a test, its browser and its file. */
type Opened = { page: Page; browser: Browser; file: string }

/** Opens the page of `makeHtml` again for each test of the suite, and passes it to `take`. Fails on
 * errors, dialogs and any request. */
export function eachPage(makeHtml: () => Promise<string>, take: (opened: Opened) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-page-'))
  const file = join(dir, 'page.html')
  let browser: Browser
  let opened: { page: Page; complaints: string[] }
  beforeAll(async () => {
    writeFileSync(file, await makeHtml())
    browser = await (launch as NonNullable<typeof launch>)()
  }, HOOK_MS)
  beforeEach(async () => {
    opened = await openPage(browser, file)
    take({ page: opened.page, browser, file })
  }, HOOK_MS)
  afterEach(async () => {
    await opened.page.close()
    expect(opened.complaints).toEqual([])
  }, HOOK_MS)
  afterAll(() => rmSync(dir, { recursive: true }))
}
