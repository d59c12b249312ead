/** Soak test: twelve worker processes in three thirds, with commands between them. */

import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { messageOf, UserError } from '../../pipeline/base/errors.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import { Random } from '../sample/random.ts'
import { Shop } from '../sample/shop.ts'
import { live } from './life.ts'

const LIVES_PER_THIRD = 4
const THIRDS = 3
const LINES_PER_MINUTE = 16_000
const LINES_PER_CHUNK = 500
/** Share of the time for the worker; the rest is for commands and the verification. */
const WORKING_SHARE = 0.7
const AGAIN = 0.05
const GROWTH_MAX = 1.1
/** Growth is not judged with fewer events, because the file then grows by blocks rather than rows. */
const JUDGED_EVENTS_MIN = 50_000
const MB = 1 << 20

/** Growth over one third. */
type Third = { events: number; bytes: number; peakBytes: number }

const say = (line: string) => process.stdout.write(`${line}\n`)
const grouped = (value: number) => Math.round(value).toLocaleString('en-US')

export class Soak {
  readonly #path: string
  readonly #shop: Shop
  readonly #random: Random
  readonly #lines: Generator<string>
  readonly #chunksPerLife: number
  readonly #lifeMs: number
  readonly #thirds: Third[] = []
  #erased = 0
  #sent: string[] = []
  #kills = 0
  #again = 0
  #peakBytes = 0

  /** The warehouse is created in `dir`. */
  constructor(dir: string, minutes: number, seed: number) {
    this.#path = join(dir, 'soak.duckdb')
    this.#shop = new Shop(seed)
    this.#random = new Random(seed)
    const lives = LIVES_PER_THIRD * THIRDS
    this.#chunksPerLife = Math.ceil((minutes * LINES_PER_MINUTE) / lives / LINES_PER_CHUNK)
    this.#lifeMs = (minutes * 60_000 * WORKING_SHARE) / lives
    this.#lines = this.#shop.lines(lives * this.#chunksPerLife * LINES_PER_CHUNK)
  }

  /** Runs to the end and prints the measurements. Throws a `UserError` if a check fails. */
  async run(): Promise<void> {
    const startedAt = elapsedMs()
    let left: string[] = []
    for (let third = 0; third < THIRDS; third++) {
      for (let life = 0; life < LIVES_PER_THIRD; life++) {
        left = await this.#live(left, life % 2 === 0)
        if (life === 1) await this.#command('replay', '--journey', 'checkout', '--yes')
        if (life % 2 === 1) await this.#forgetPerson()
      }
      await this.#measure()
    }
    await this.#command('verify')
    const checks = await this.#command('check')
    await this.#expectNothingLost()
    say(`verify: the stored tables match the stored events`)
    say(`checks: ${checks.trim().split('\n').at(-1)}`)
    const { lines, accepted } = this.#shop.truth
    const minutes = ((elapsedMs() - startedAt) / 60_000).toFixed(1)
    say(`sent: ${grouped(lines)} lines, ${grouped(accepted)} of them new events, in ${minutes} min`)
    say(
      `disturbed: ${this.#kills} kills, ${this.#again} chunks sent again, ` +
        `${this.#erased} people erased, ${THIRDS} replays`,
    )
    this.#expectBounded()
  }

  /** Runs one worker, which may be killed after half of its input. Returns unacknowledged chunks. */
  async #live(left: string[], isKilled: boolean): Promise<string[]> {
    const chunks = [...left, ...this.#chunks()]
    const url = `duckdb:${this.#path}`
    const half = chunks.length / 2
    const killAt = isKilled ? Math.ceil(half + this.#random.between(0, Math.floor(half / 2))) : null
    const lived = await live({ url, chunks, killAt, ms: this.#lifeMs })
    this.#kills += isKilled ? 1 : 0
    this.#peakBytes = Math.max(this.#peakBytes, lived.peakBytes)
    return lived.left
  }

  /** Returns chunks of new lines, and some chunks that were sent before. */
  #chunks(): string[] {
    const chunks: string[] = []
    for (let i = 0; i < this.#chunksPerLife; i++) {
      const lines: string[] = []
      while (lines.length < LINES_PER_CHUNK) {
        const { done, value } = this.#lines.next()
        if (done) break
        lines.push(value)
      }
      if (lines.length > 0) chunks.push(lines.join('\n'))
      if (this.#sent.length > 0 && this.#random.chance(AGAIN)) {
        chunks.push(this.#random.pick(this.#sent))
        this.#again += 1
      }
    }
    this.#sent = chunks
    return chunks
  }

  /** Erases one of the most active customers, who may come back. */
  async #forgetPerson(): Promise<void> {
    const known = await this.#query(
      `select value from identities where namespace = 'user_id'
       order by event_count desc, value limit 100`,
    )
    if (known.length === 0)
      throw new UserError(
        'the soak has no person to erase: use more --minutes, for example npm run soak -- --minutes 5',
      )
    const user = this.#random.pick(known)['value'] as string
    await this.#command('forget', '--user', `user_id:${user}`, '--yes')
    this.#erased += 1
  }

  async #measure(): Promise<void> {
    const [row] = await this.#query('select count(*) as events from events')
    const before = { events: 0, bytes: 0 }
    for (const { events, bytes } of this.#thirds) {
      before.events += events
      before.bytes += bytes
    }
    const third = {
      events: (row?.['events'] as number) - before.events,
      bytes: statSync(this.#path).size - before.bytes,
      peakBytes: this.#peakBytes,
    }
    this.#thirds.push(third)
    this.#peakBytes = 0
    say(
      `third ${this.#thirds.length}: ${grouped(third.events)} events, ` +
        `${grouped(third.bytes / third.events)} bytes an event, ` +
        `peak memory ${grouped(third.peakBytes / MB)} MB`,
    )
  }

  /** Checks that every new event has landed once, except those of erased people. */
  async #expectNothingLost(): Promise<void> {
    const [row] = await this.#query(
      `select (select count(*) from events) as events,
         sum(landed_count) as landed,
         sum(read_count - landed_count - duplicate_count - rejected_count) as erased
       from batches`,
    )
    const { landed, erased } = row as { landed: number; erased: number }
    const { accepted } = this.#shop.truth
    say(`landed: ${grouped(landed)} events, ${grouped(erased)} of erased people dropped`)
    if (landed > accepted || landed + erased < accepted) {
      throw new UserError(
        `${grouped(accepted)} new events were sent, but ${grouped(landed)} landed and ` +
          `${grouped(erased)} were dropped as those of erased people`,
      )
    }
  }

  #expectBounded(): void {
    const [, middle, last] = this.#thirds as [Third, Third, Third]
    const ratios = {
      'bytes an event': last.bytes / last.events / (middle.bytes / middle.events),
      'peak memory': last.peakBytes / middle.peakBytes,
    }
    for (const [what, ratio] of Object.entries(ratios)) {
      say(`${what}: last third ${ratio.toFixed(3)} × the middle one`)
    }
    const [grown] = Object.entries(ratios).find(([, ratio]) => !(ratio <= GROWTH_MAX)) ?? []
    if (grown === undefined) return
    if (middle.events < JUDGED_EVENTS_MIN) {
      say('too few events to judge the growth')
      return
    }
    throw new UserError(`${grown} grew: the last third exceeds ${GROWTH_MAX} × the middle one`)
  }

  async #query(sql: string) {
    const warehouse = duckdbWarehouse(this.#path)
    await warehouse.open()
    try {
      return await warehouse.query(sql)
    } finally {
      await warehouse.close()
    }
  }

  /** Runs a command of the project on the warehouse and returns its output. */
  async #command(name: string, ...args: string[]): Promise<string> {
    const script = ['--import', 'tsx', `scripts/${name}.ts`, '--warehouse', `duckdb:${this.#path}`]
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [...script, ...args])
      return stdout
    } catch (thrown) {
      const { stdout = '' } = thrown as { stdout?: string }
      throw new UserError(`npm run ${name} failed: ${messageOf(thrown)}\n${stdout}`)
    }
  }
}
