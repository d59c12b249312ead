/**
 * Headless browser for page tests: Debian's Chromium, driven by playwright-core. Without Chromium
 * the tests are skipped with one line, and fail if REQUIRE_BROWSER=1.
 */

import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat([
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
])
/** A browser on a busy machine takes its time. */
export const HOOK_MS = 120_000

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser && process.env['REQUIRE_BROWSER'] === '1') {
  throw new Error(`REQUIRE_BROWSER=1, but there is no ${CHROMIUM}: apt-get install -y chromium`)
}
if (!hasBrowser) console.log(`skipped: no ${CHROMIUM}; apt-get install -y chromium to run these`)

/** Starts the browser; null if Chromium is not installed. */
export const launch: (() => Promise<Browser>) | null = hasBrowser
  ? () => chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  : null

/** A file as a page, in light, and what it complained of: errors, dialogs, and any request but the
 * one for itself. */
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
