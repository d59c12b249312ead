/** Address of the metrics server: `PORT` or `HOST:PORT`. */

import { UserError } from '../../pipeline/base/errors.ts'

export type Listening = { host: string; port: number }

const PLACE = /^(?:([\w.-]+|\[[\da-f:]+\]):)?(\d{1,5})$/i

/** Parses a port, or a host and port. Without a host, only this machine can connect. */
export function listeningOf(text: string): Listening {
  const [, host = '127.0.0.1', digits] = PLACE.exec(text) ?? []
  const port = digits === undefined ? -1 : Number(digits)
  if (port >= 0 && port <= 65_535) return { host: host.replaceAll(/[[\]]/g, ''), port }
  throw new UserError(
    `--metrics ${JSON.stringify(text)} is not a port: use PORT, or HOST:PORT such as 0.0.0.0:9464`,
    2,
  )
}
