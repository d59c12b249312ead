/**
 * Reference systems from `.peers/`, installed by `npm run peers`. Without them, tests that compare
 * with them are skipped with one line; with REQUIRE_PEERS=1 they fail.
 */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const DIR = resolve('.peers')

/** Returns the folder of a reference system, or null if it is not installed and not required. */
export function peerDir(name: string): string | null {
  const dir = resolve(DIR, 'node_modules', name)
  if (existsSync(dir)) return dir
  if (process.env['REQUIRE_PEERS'] === '1') {
    throw new Error(`${name} is not installed: run npm run peers`)
  }
  console.log(`skipped: ${name} is not installed; npm run peers installs it`)
  return null
}

/** Returns the module of a reference system, or null if it is not installed and not required. */
export function peer<Module>(name: string): Module | null {
  if (peerDir(name) === null) return null
  return createRequire(resolve(DIR, 'package.json'))(name) as Module
}
