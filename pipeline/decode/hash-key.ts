/**
 * Key of hashed namespaces: keyed hashes of identifier values, and the fingerprint by which a
 * warehouse recognizes the key without storing it.
 */

import { createHmac } from 'node:crypto'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'

/** Environment variable of the hash key. */
export const HASH_KEY_VARIABLE = 'DESIRE_PATH_HASH_KEY'

const FINGERPRINT_OF = 'desire-path hash key, version 1'
const FINGERPRINT_DIGITS = 32

/** Returns the keyed hash of a trimmed value, 64 hexadecimal digits. */
export function hashOf(key: string, trimmed: string | Uint8Array): string {
  return createHmac('sha256', key).update(trimmed).digest('hex')
}

/** Returns the fingerprint of a key, 32 hexadecimal digits. */
export function fingerprintOf(key: string): string {
  return hashOf(key, FINGERPRINT_OF).slice(0, FINGERPRINT_DIGITS)
}

/** Returns the key, or null if no namespace is hashed. Throws a `UserError` if it is missing. */
export function requiredKey(identity: Identity, key: string | undefined): string | null {
  if (identity.hashed.length === 0) return null
  if (key !== undefined && key !== '') return key
  throw new UserError(
    `identity.ts hashes ${identity.hashed.join(', ')}: ` +
      `set ${HASH_KEY_VARIABLE} to a secret key, the same for every run`,
  )
}
