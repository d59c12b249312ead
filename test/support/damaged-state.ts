/** Damage to the folder of a state store between two runs. */

import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `none`: the run was killed; `closed`: it ended normally. */
export const DAMAGES = [
  'none',
  'closed',
  'deleted',
  'truncated',
  'corrupted',
  'emptied',
  'put back',
  'kept for later',
  'with a damaged index',
] as const
export type Damage = (typeof DAMAGES)[number]

/** Damages a store; `at` selects the position. */
export function damageState(dir: string, damage: Damage, at: number): void {
  const log = join(dir, 'log')
  const copy = `${dir}.earlier`
  if (!existsSync(log)) return
  const bytes = readFileSync(log)
  const place = Math.floor(bytes.length * (((at + 1) * 0.618) % 1))
  const index = join(dir, 'index')
  if (damage === 'with a damaged index' && existsSync(index)) {
    // The head is whole.
    writeFileSync(index, readFileSync(index).fill(at + 1, 4_096))
  }
  if (damage === 'deleted') rmSync(dir, { recursive: true })
  if (damage === 'truncated') truncateSync(log, place)
  if (damage === 'emptied') truncateSync(log, 0)
  if (damage === 'kept for later') writeFileSync(copy, bytes)
  if (damage === 'put back' && existsSync(copy)) writeFileSync(log, readFileSync(copy))
  if (damage === 'corrupted') {
    bytes[place] = (bytes[place] as number) ^ (1 << (at % 8))
    writeFileSync(log, bytes)
  }
}
