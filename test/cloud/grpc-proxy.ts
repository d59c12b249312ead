/** Proxy to a gRPC server that can read and refuse calls and drop their answers. */

import { once } from 'node:events'
import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'

/** Outcome of a call: it passes, is refused with a status, or its answer is lost. */
export type Fate = 'passes' | 'answer lost' | { status: number; message: string }

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' }

export class GrpcProxy {
  /** May be changed during use; evaluated once per call. */
  fate: (method: string) => Fate = () => 'passes'
  /** Methods that were called. */
  readonly called: string[] = []
  readonly #server: Http2Server
  readonly #near = new Set<ServerHttp2Session>()
  readonly #far: ClientHttp2Session

  private constructor(server: Http2Server, far: ClientHttp2Session) {
    this.#server = server
    this.#far = far
  }

  /** Starts a proxy to `address` on a free port of the loopback interface. */
  static async to(address: string): Promise<GrpcProxy> {
    const server = createServer()
    const proxy = new GrpcProxy(server, connect(`http://${address}`))
    server.on('session', (session) => proxy.#near.add(session))
    server.on('stream', (near, headers) => proxy.#pass(near, headers))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#far.destroy()
    for (const session of this.#near) session.destroy()
    this.#server.close()
  }

  #pass(near: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const method = headers[':path']?.split('/').at(-1) as string
    this.called.push(method)
    const fate = this.fate(method)
    near.on('error', () => undefined)
    if (typeof fate === 'object') {
      const { status, message } = fate
      near.respond({ ...HEADERS, 'grpc-status': status, 'grpc-message': message }, END)
      return
    }
    const far = this.#far.request(headers)
    let trailers: IncomingHttpHeaders = {}
    far.on('error', () => near.close(constants.NGHTTP2_INTERNAL_ERROR))
    far.on('response', (answer, flags) => {
      const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      if (!near.destroyed) near.respond(answer, isAll ? END : { waitForTrailers: true })
    })
    far.on('trailers', (last) => (trailers = last))
    near.on('wantTrailers', () => near.sendTrailers(trailers))
    near.on('close', () => far.close())
    near.pipe(far)
    if (fate === 'passes') far.pipe(near)
    else far.once('data', () => near.close(constants.NGHTTP2_INTERNAL_ERROR))
  }
}

const END = { endStream: true }
