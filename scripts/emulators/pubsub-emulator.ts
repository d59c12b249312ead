/**
 * The official Pub/Sub emulator, which is part of the Google Cloud SDK, on a free port of the loopback
 * interface. Without it, prints one line and the caller skips its tests; with REQUIRE_EMULATORS=1 it
 * is an error.
 */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PubSub, type Subscription, type Topic } from '@google-cloud/pubsub'
import { freePort } from './free-port.ts'

const PROJECT = 'shop'

/** Returns the program of the emulator, or null if it is not installed and not required. */
export function pubsubEmulator(): string | null {
  try {
    const args = ['info', '--format=value(installation.sdk_root)']
    const root = execFileSync('gcloud', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
    const lib = join(root, 'platform', 'pubsub-emulator', 'lib')
    const jar = readdirSync(lib).find((name) => /^cloud-pubsub-emulator-.*\.jar$/.test(name))
    if (jar !== undefined) return join(lib, jar)
  } catch {
    // No SDK, or one without the emulator.
  }
  const what = 'the Pub/Sub emulator is not installed'
  if (process.env['REQUIRE_EMULATORS'] === '1') throw new Error(what)
  console.log(`skipped: ${what}; gcloud components install pubsub-emulator installs it`)
  return null
}

export type Subscribed = { topic: Topic; subscription: Subscription; url: string }

export class PubsubEmulator {
  readonly pubsub: PubSub
  readonly env: { [name: string]: string }
  readonly #process: ChildProcess
  #made = 0

  private constructor(server: ChildProcess, address: string) {
    this.#process = server
    this.env = { PUBSUB_EMULATOR_HOST: address, METADATA_SERVER_DETECTION: 'none' }
    Object.assign(process.env, this.env)
    this.pubsub = new PubSub({ projectId: PROJECT })
  }

  static async start(jar: string, port?: number): Promise<PubsubEmulator> {
    const listenAt = port ?? (await freePort())
    const args = ['-jar', jar, '--host=127.0.0.1', `--port=${listenAt}`]
    const server = spawn('java', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    for await (const line of createInterface({ input: server.stderr })) {
      if (!line.includes('Server started')) continue
      server.stderr.resume()
      return new PubsubEmulator(server, `127.0.0.1:${listenAt}`)
    }
    throw new Error('the Pub/Sub emulator did not start')
  }

  /** Creates a topic with a subscription of the same name, `events-N`. Every emulator numbers them
   * from the start. */
  async topic(enableMessageOrdering = false): Promise<Subscribed> {
    const id = `events-${(this.#made += 1)}`
    const [topic] = await this.pubsub.createTopic(id)
    const [subscription] = await topic.createSubscription(id, {
      ackDeadlineSeconds: 10,
      enableMessageOrdering,
    })
    return { topic, subscription, url: `pubsub:${PROJECT}/${id}` }
  }

  async stop(): Promise<void> {
    await this.pubsub.close()
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}
