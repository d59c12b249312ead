/** Checks that a service can be reached, before its client starts to retry. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'

const CONNECT_MS = 1_000
const HTTPS_PORT = 443

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']

/** Throws a `UserError` within a second if the host does not accept a connection. Does nothing
 * behind a proxy. */
export async function checkNetwork(host: string, env = process.env): Promise<void> {
  if (PROXIES.some((name) => env[name])) return
  const socket = connect({ host, port: HTTPS_PORT })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) })
  } catch (thrown) {
    const isLate = thrown instanceof Error && thrown.name === 'AbortError'
    const fault = isLate ? `no answer in ${CONNECT_MS / 1_000} s` : messageOf(thrown)
    throw new UserError(
      `${host} cannot be reached (${fault}): check the network and run this again`,
    )
  } finally {
    socket.on('error', () => undefined).destroy()
  }
}
