/**
 * A browser to look at pages with: Debian's chromium, driven by playwright-core from `.peers/`.
 * Without them the tests are skipped in one line; with REQUIRE_BROWSER=1 that is a failure.
 */

import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { peer } from './peers.ts'

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
const driver = hasBrowser ? peer<typeof import('playwright-core')>('playwright-core') : null

/** Null: there is none, and that is well. */
export const launch: (() => Promise<Browser>) | null =
  driver && (() => driver.chromium.launch({ executablePath: CHROMIUM, args: ARGS }))

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
