/**
 * The key of hashed namespaces on record: a warehouse remembers the fingerprint of its first key in
 * `releases`, as the definition `hash_key`, and refuses any other. A warehouse of an earlier version
 * gets it with its next batch.
 */

import { fingerprintOf, HASH_KEY_VARIABLE } from '../decode/hash-key.ts'
import { releaseOf, type Release } from '../definition/load.ts'
import { UserError } from '../base/errors.ts'
import type { Identity } from '../definition/settings.ts'
import type { ReleaseLog } from '../warehouse/release-log.ts'

const KIND = 'hash_key'
/** Shown of a fingerprint. */
const DIGITS_SHOWN = 8

/**
 * Returns what is to be put on record about the key: nothing once it is there, where no namespace
 * is hashed, or where the caller has no key because it reads only what has landed. Throws a
 * `UserError` if the warehouse was fed under another key.
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
    `${HASH_KEY_VARIABLE} is not the key of ${url}: its fingerprint is ${shown(hash)}…, on record ` +
      `is ${shown(known.hash)}…, and identifiers hashed by two keys never match: set the first ` +
      `key again. To change the key, feed a new warehouse from the source: ` +
      `${HASH_KEY_VARIABLE}=NEW_KEY npm start -- --warehouse duckdb:NEW.duckdb FILE`,
  )
}
