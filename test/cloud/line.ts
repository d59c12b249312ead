/** TCP proxy between a client and a server that can be cut, redirected and restored. */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class Line {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false
  #target: string

  private constructor(server: Server, target: string) {
    this.#server = server
    this.#target = target
  }

  /** Starts a proxy to `address` on a free port of the loopback interface. */
  static async to(address: string): Promise<Line> {
    const server = createServer()
    const line = new Line(server, address)
    server.on('connection', (near) => {
      if (line.#isCut) {
        near.destroy()
        return
      }
      const [host = '', port] = line.#target.split(':')
      const far = connect(Number(port), host)
      for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
        line.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          line.#sockets.delete(socket)
          other.destroy()
        })
        socket.pipe(other)
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return line
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Restores the connection, to `address` if it is given. */
  mend(address = this.#target): void {
    this.#target = address
    this.#isCut = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
