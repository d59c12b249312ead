/** Search for a person in the bytes of a DuckDB file, also in blocks that no table uses. */

import { readFileSync } from 'node:fs'

/** Returns whether the bytes contain an identifier, such as `user_id:u-5`. Texts of images and history
 * are compressed and not searched; columns of identities, sessions and profiles are not. */
export function isNamedIn(path: string, identifier: string): boolean {
  const bytes = readFileSync(path)
  for (let at = bytes.indexOf(identifier); at >= 0; at = bytes.indexOf(identifier, at + 1)) {
    const next = bytes[at + identifier.length] ?? 0
    const isLonger = next >= 0x30 && next <= 0x39
    if (!isLonger) return true
  }
  return false
}
