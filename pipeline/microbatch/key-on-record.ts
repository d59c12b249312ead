/**
 * Recorded key of hashed namespaces. A warehouse records the fingerprint of its first key in
 * `releases`, as the definition `hash_key`, and rejects any other key. Warehouses of earlier
 * versions record it with their next batch.
 */

import { fingerprintOf, HASH_KEY_VARIABLE } from '../decode/hash-key.ts'
import { releaseOf, type Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'
import type { ReleaseLog } from '../warehouse/release-log.ts'

const KIND = 'hash_key'
/** Number of fingerprint digits that errors show. */
const DIGITS_SHOWN = 8

/**
 * Returns the release to record for the key. Empty if it is recorded already, if no namespace is
 * hashed, or if the caller reads only stored events and has no key. Throws a `UserError` if the
 * warehouse was written with another key.
 */
export function unrecordedKey(
  identity: Identity,
  hashKey: string | undefined,
  log: ReleaseLog,
  url: string,
): Release[] {
  if (identity.hashed.length === 0 || hashKey === undefined) return []
  const hash = fingerprintOf(hashKey)
  const known = log.inForce(KIND)
  if (known === undefined) {
    return [{ ...releaseOf(KIND, 'hash_key', 1, { algorithm: 'HMAC-SHA-256' }), hash }]
  }
  if (known.hash === hash) return []
  const shown = (fingerprint: string) => fingerprint.slice(0, DIGITS_SHOWN)
  throw new UserError(
    `${HASH_KEY_VARIABLE} is not the key of ${url}: its fingerprint is ${shown(hash)}…, the recorded ` +
      `one is ${shown(known.hash)}…, and identifiers hashed by two keys never match: set the first ` +
      `key again. To change the key, load the source into a new warehouse: ` +
      `${HASH_KEY_VARIABLE}=NEW_KEY npm start -- --warehouse duckdb:NEW.duckdb FILE`,
  )
}
