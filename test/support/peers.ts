/**
 * Heavy judges from `.peers/`, if `npm run peers` has installed them. Without them the tests that
 * ask them are skipped in one line; REQUIRE_PEERS=1 makes their absence a failure.
 */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const DIR = resolve('.peers')

/** Where a peer is installed, or null when it is not and need not be. */
export function peerDir(name: string): string | null {
  const dir = resolve(DIR, 'node_modules', name)
  if (existsSync(dir)) return dir
  if (process.env['REQUIRE_PEERS'] === '1') {
    throw new Error(`${name} is not installed: run npm run peers`)
  }
  console.log(`skipped: ${name} is not installed; npm run peers installs it`)
  return null
}

/** A peer's module, or null when it is not installed and need not be. */
export function peer<Module>(name: string): Module | null {
  if (peerDir(name) === null) return null
  return createRequire(resolve(DIR, 'package.json'))(name) as Module
}
