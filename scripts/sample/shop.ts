/**
 * Simulated shop: a stream of lines in arrival order, from people on several devices who sign in half
 * way, with shared tablets, carts that go in circles, failed payments, and lines that are late,
 * duplicated, broken or have a wrong clock.
 *
 * The same seed gives the same bytes. Memory is bounded by the current visits and the late lines.
 * `truth` has the expected outcome for tests.
 */

import { HOUR, SECOND } from '../../pipeline/base/clock.ts'
import { nativeLine, PRODUCTS, segmentLine, type Customer, type Happening } from './lines.ts'
import { Random } from './random.ts'

const MINUTE = 60 * SECOND
const DAY = 24 * HOUR
/** 2026-03-02T08:00:00Z */
const OPENING = 1_772_438_400_000_000
const LATE = 0.02
const TWICE = 0.01
const BROKEN = 0.004
const AHEAD = 0.001
const SEGMENT = 0.1

export type Truth = {
  seed: number
  lines: number
  /** Lines with a new, valid event. */
  accepted: number
  duplicates: number
  refused: { [reason: string]: number }
  purchases: number
  customers: { [userId: string]: { email: string; devices: string[] } }
}

type Line = { at: number; text: string }

const CAMPAIGNS = ['newsletter', 'search', 'social', null, null, null, null]
const AGENTS: { [source: string]: string } = {
  web: 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/148.0',
  ios: 'Shop/5.2.1 (iPhone17,2; iOS 20.1; Scale/3.00)',
  android: 'Shop/5.2.0 (Linux; Android 17; Pixel 11)',
}

export class Shop {
  readonly truth: Truth
  readonly #random: Random
  readonly #customers: Customer[] = []
  /** Lines that have been sent but have not arrived. */
  #underWay: Line[] = []
  #clock = OPENING

  constructor(seed: number) {
    this.#random = new Random(seed)
    this.truth = {
      seed,
      lines: 0,
      accepted: 0,
      duplicates: 0,
      refused: {},
      purchases: 0,
      customers: {},
    }
  }

  /** Yields `count` lines without line breaks. */
  *lines(count: number): Generator<string> {
    while (this.truth.lines + this.#underWay.length < count) {
      this.#visit()
      this.#clock += this.#random.between(1, 40) * SECOND
      yield* this.#arrivals(this.#clock - HOUR)
    }
    const left = count - this.truth.lines
    this.#underWay.sort((a, b) => a.at - b.at)
    for (const line of this.#underWay.slice(0, left)) yield this.#arrive(line)
  }

  *#arrivals(until: number): Generator<string> {
    if (this.#underWay.length < 20_000 && this.#random.chance(0.95)) return
    this.#underWay.sort((a, b) => a.at - b.at)
    const open = this.#underWay.findIndex((line) => line.at > until)
    const arrived = this.#underWay.splice(0, open < 0 ? this.#underWay.length : open)
    for (const line of arrived) yield this.#arrive(line)
  }

  #arrive({ text }: Line): string {
    this.truth.lines += 1
    this.#judge(text)
    return text
  }

  readonly #seen = new Map<string, true>()

  /** Counts the expected outcome of a line. */
  #judge(text: string): void {
    const { truth } = this
    const id = /"(?:event_id|messageId)":"(x-[a-z_]+-)?([^"]+)"/.exec(text)
    const reason = id?.[1]?.slice(2, -1)
    if (id === null) truth.refused['invalid_json'] = (truth.refused['invalid_json'] ?? 0) + 1
    else if (reason !== undefined) truth.refused[reason] = (truth.refused[reason] ?? 0) + 1
    else if (this.#seen.has(id[2] as string)) truth.duplicates += 1
    else {
      truth.accepted += 1
      this.#seen.set(id[2] as string, true)
      // Duplicates arrive within days, so older ids are forgotten.
      if (this.#seen.size > 400_000) this.#forgetOldest(200_000)
      if (text.includes('"Order Completed"')) truth.purchases += 1
    }
  }

  #forgetOldest(count: number): void {
    let left = count
    for (const id of this.#seen.keys()) {
      if (left-- === 0) return
      this.#seen.delete(id)
    }
  }

  #customer(): Customer {
    const random = this.#random
    const known = this.#customers.length
    if (known > 0 && random.chance(0.7)) {
      // Recent customers are more likely to come back.
      return this.#customers[known - 1 - random.between(0, Math.min(known - 1, 3_000))] as Customer
    }
    const number = known + 1
    const customer: Customer = {
      userId: `u-${number}`,
      email: `customer${number}@example.com`,
      devices: [],
      hasAccount: random.chance(0.7),
      isSubscriber: random.chance(0.15),
    }
    for (let i = random.pick([1, 1, 1, 2, 2, 3]); i > 0; i--) {
      const source = random.pick(['web', 'web', 'ios', 'android'])
      const isShared = random.chance(0.03)
      const tablet = isShared ? `tablet-${random.between(1, 5 + Math.floor(number / 400))}` : null
      const id = isShared ? `anon-${tablet}` : `anon-${random.hex(16)}`
      customer.devices.push({ id, tablet, source, agent: AGENTS[source] as string })
    }
    this.#customers.push(customer)
    if (customer.hasAccount) {
      this.truth.customers[customer.userId] = {
        email: customer.email,
        devices: customer.devices.map((device) => device.id),
      }
    }
    return customer
  }

  /** Simulates one visit of a customer on one device. */
  #visit(): void {
    const random = this.#random
    const customer = this.#customer()
    const device = random.pick(customer.devices)
    const campaign = random.pick(CAMPAIGNS)
    const isNew = customer.hasAccount && random.chance(0.15)
    const happenings = [
      ...this.#browse(customer),
      ...(isNew ? this.#onboard() : []),
      ...(customer.isSubscriber && random.chance(0.3) ? this.#subscribe() : []),
    ]
    const skew = random.chance(0.05) ? random.between(-300, 300) * SECOND : 0
    for (const happening of happenings) {
      this.#send(customer, device, campaign, { ...happening, at: happening.at + skew })
    }
  }

  *#browse(customer: Customer): Generator<Happening> {
    const random = this.#random
    let at = this.#clock
    let isSignedIn = random.chance(0.3)
    let items = 0
    let value = 0
    const step = (name: string, properties: object = {}): Happening => {
      at += random.between(4, 240) * SECOND + random.between(0, 999_999)
      return { name, at, properties, isSignedIn: isSignedIn && customer.hasAccount }
    }
    const product = () => ({ product: random.pick(PRODUCTS), price: random.between(5, 240) })
    yield step('Page Viewed', { title: 'Home' })
    for (let i = random.between(1, 5); i > 0; i--) yield step('Product Viewed', product())
    if (!random.chance(0.55)) return
    for (let lap = random.between(1, 3); lap > 0; lap--) {
      const added = product()
      items += 1
      value += added.price
      yield step('Product Added', added)
      if (items > 0 && random.chance(0.25)) {
        items -= 1
        value -= added.price
        yield step('Product Removed', { ...added, items_left: items })
      }
    }
    if (random.chance(0.35)) {
      if (!random.chance(0.4)) return
      at += random.between(22, 40) * HOUR
      yield step('Email Link Clicked', { mail: 'cart_reminder' })
    }
    if (items === 0) return
    if (random.chance(0.7)) isSignedIn = true
    if (isSignedIn) yield step('Identify')
    for (let attempt = 1; attempt <= 4; attempt++) {
      yield step('Checkout Started', { value, items, attempt })
      if (random.chance(0.3)) {
        yield step('Payment Failed', { attempt, code: random.pick(['declined', 'expired', '3ds']) })
        if (random.chance(0.3)) return
        continue
      }
      if (random.chance(0.15)) return
      yield step('Order Completed', { order_id: `o-${random.hex(10)}`, value, items })
      return
    }
  }

  *#onboard(): Generator<Happening> {
    const random = this.#random
    let at = this.#clock + 20 * MINUTE
    const step = (name: string, properties: object = {}): Happening => {
      at += random.between(10, 400) * SECOND
      return { name, at, properties, isSignedIn: true }
    }
    yield step('Signed Up', { plan: random.pick(['free', 'plus']) })
    if (!random.chance(0.8)) return
    yield step('Email Verified')
    for (let i = random.between(0, 4); i > 0; i--)
      yield step('Tutorial Step Completed', { step: i })
    if (random.chance(0.5))
      yield step('Profile Completed', random.chance(0.5) ? { photo: 'y' } : {})
  }

  *#subscribe(): Generator<Happening> {
    const random = this.#random
    const at = this.#clock + 90 * MINUTE
    const named = (name: string, after: number): Happening => ({
      name,
      at: at + after,
      properties: { plan: 'plus', amount: 9.5 },
      isSignedIn: true,
    })
    yield named(random.pick(['Trial Started', 'Subscription Started']), 0)
    if (random.chance(0.6)) yield named('Subscription Started', 2 * DAY)
    if (random.chance(0.6)) yield named('Payment Succeeded', 2 * DAY + MINUTE)
    if (random.chance(0.2)) yield named('Invoice Payment Failed', 3 * DAY)
    if (random.chance(0.3)) yield named('Support Ticket Opened', 3 * DAY + HOUR)
    if (random.chance(0.2)) yield named('Support Ticket Closed', 4 * DAY)
    if (random.chance(0.15)) yield named('Subscription Cancelled', 5 * DAY)
  }

  #send(
    customer: Customer,
    device: Customer['devices'][number],
    campaign: string | null,
    happening: Happening,
  ): void {
    const random = this.#random
    const late = random.chance(LATE) ? random.between(5, 2_880) * MINUTE : 0
    const sentAt = happening.at + random.between(1, 20) * SECOND
    const flaw = this.#flaw()
    const id = `${flaw === null ? '' : `x-${flaw}-`}${random.hex(8)}-${random.hex(16)}`
    const isSegment = flaw === null && random.chance(SEGMENT)
    const write = isSegment ? segmentLine : nativeLine
    let text = write({ id, customer, device, campaign, happening, sentAt, random, flaw })
    if (flaw === 'invalid_json') text = text.slice(0, 20)
    this.#underWay.push({ at: sentAt + late, text })
    if (random.chance(TWICE)) {
      this.#underWay.push({ at: sentAt + late + random.between(1, 3_600) * SECOND, text })
    }
  }

  /** Returns the reason for which a line will be refused. */
  #flaw(): string | null {
    if (this.#random.chance(AHEAD)) return 'occurred_in_future'
    if (!this.#random.chance(BROKEN)) return null
    return this.#random.pick(['invalid_json', 'no_identifier', 'invalid_field', 'missing_field'])
  }
}
