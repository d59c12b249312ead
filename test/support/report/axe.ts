/** axe-core in a page of a test. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

type Finding = { id: string; nodes: { target: string[] }[] }

/** Returns what axe-core finds in the light on a desk and in the dark on a phone. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const findings = async () => {
    const { violations } = await page.evaluate<{ violations: Finding[] }>('axe.run()')
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
    )
  }
  const onDesk = await findings()
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.setViewportSize({ width: 390, height: 800 })
  return [...onDesk, ...(await findings())]
}
