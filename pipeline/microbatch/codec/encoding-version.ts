/**
 * Version numbers of stored encodings. Every state image and history segment begins with the number
 * of its encoding and a space. Any other number is rejected.
 * `test/microbatch/pinned-encodings.test.ts` pins each encoding: a changed encoding needs a new
 * number.
 */

import { UserError } from '../../base/errors.ts'
import { LOAD_AGAIN } from '../../warehouse/head.ts'
import type { Codec } from '../image-cache.ts'

/** Longer prefixes are not numbers. */
const DIGITS_MAX = 4

/** Returns the text without its number. Throws a `UserError` for another number. A missing number
 * counts as 0. */
export function unversioned(what: string, version: number, text: string): string {
  const prefix = `${version} `
  if (text.startsWith(prefix)) return text.slice(prefix.length)
  const [found] = /^\d{1,4}(?= )/.exec(text.slice(0, DIGITS_MAX + 1)) ?? ['0']
  throw new UserError(
    `${what} of this warehouse has encoding ${found}, and this version of the program reads ` +
      `encoding ${version}: ${LOAD_AGAIN}`,
  )
}

/** Returns a codec that writes and checks the number. */
export function versionedCodec<T>(what: string, version: number, codec: Codec<T>): Codec<T> {
  return {
    write: (out, image) => {
      out.prefix(version)
      codec.write(out, image)
    },
    decode: (text) => codec.decode(unversioned(what, version, text)),
  }
}
