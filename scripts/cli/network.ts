/** Whether a service can be reached at all, before its client starts to retry. */

import { lookup } from 'node:dns/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'

/** How long the look-up of an address may take, milliseconds. */
const LOOK_UP_MS = 1_500

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']

/** Throws a `UserError` within two seconds if the host's address cannot be found. Behind a proxy
 * nothing is looked up. */
export async function checkNetwork(host: string, env = process.env): Promise<void> {
  if (PROXIES.some((name) => env[name])) return
  const over = new AbortController()
  const late = pause(LOOK_UP_MS, 'no answer in time', { signal: over.signal })
  const found = lookup(host).then(() => null, messageOf)
  const fault = await Promise.race([found, late])
  over.abort()
  late.catch(() => undefined)
  if (fault === null) return
  throw new UserError(`${host} cannot be reached (${fault}): check the network, and run this again`)
}
