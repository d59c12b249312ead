/**
 * The key of hashed namespaces: keyed hashes of identifier values, and the fingerprint by which a
 * warehouse recognizes its key without holding it.
 */

import { createHmac } from 'node:crypto'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'

/** The environment variable with the key of the hashes. */
export const HASH_KEY_VARIABLE = 'DESIRE_PATH_HASH_KEY'

const FINGERPRINT_OF = 'desire-path hash key, version 1'
const FINGERPRINT_DIGITS = 32

/** Returns the hash that a trimmed value lands as, 64 hexadecimal digits. */
export function hashOf(key: string, trimmed: string | Uint8Array): string {
  return createHmac('sha256', key).update(trimmed).digest('hex')
}

/** Returns what identifies a key on record, 32 hexadecimal digits. */
export function fingerprintOf(key: string): string {
  return hashOf(key, FINGERPRINT_OF).slice(0, FINGERPRINT_DIGITS)
}

/** Returns the key; null where no namespace is hashed. Throws a `UserError` if it is missing. */
export function requiredKey(identity: Identity, key: string | undefined): string | null {
  if (identity.hashed.length === 0) return null
  if (key !== undefined && key !== '') return key
  throw new UserError(
    `identity.ts hashes ${identity.hashed.join(', ')}: ` +
      `set ${HASH_KEY_VARIABLE} to a secret key, the same for every run`,
  )
}
