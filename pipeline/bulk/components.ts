/**
 * Components of a whole history: identifiers that events or corrections connect, directly or through
 * others. No step of a derivation reads beyond a component, so whole components can be derived one
 * after another, each without any stored state.
 */

import { compareText } from '../base/event-order.ts'
import { hash64 } from '../base/hash.ts'

/** Partition of events whose component is too large. */
export const OVERSIZED = -1

/** Events of a partition, about. */
export const PARTITION_EVENTS = 50_000

/** A component with more events is not derived at once, because that would take too much memory. */
export const COMPONENT_EVENTS_MAX = 400_000

/** Union-find over identifiers, with the number of events of each component. */
export class Components {
  readonly #numberOf = new Map<string, number>()
  readonly #parent: number[] = []
  /** By root: the least identifier, which names the component, and its number of events. */
  readonly #least: string[] = []
  readonly #events: number[] = []

  /** Connects identifiers, which that many events carry. */
  add(identifiers: Iterable<string>, events: number): void {
    let first = -1
    for (const identifier of identifiers) {
      const number = this.number(identifier)
      if (first < 0) first = number
      else this.connect(first, number)
    }
    if (first >= 0) this.count(first, events)
  }

  /** Returns the number of an identifier, by which `connect` and `count` know it. */
  number(identifier: string): number {
    let number = this.#numberOf.get(identifier)
    if (number === undefined) {
      number = this.#parent.length
      this.#numberOf.set(identifier, number)
      this.#parent.push(number)
      this.#least.push(identifier)
      this.#events.push(0)
    }
    return number
  }

  /** Connects two identifiers. */
  connect(one: number, other: number): void {
    const [a, b] = [this.#rootOf(one), this.#rootOf(other)]
    if (a === b) return
    const [into, from] = (this.#events[a] as number) < (this.#events[b] as number) ? [b, a] : [a, b]
    this.#parent[from] = into
    this.#events[into] = (this.#events[into] as number) + (this.#events[from] as number)
    const [least, less] = [this.#least[into] as string, this.#least[from] as string]
    if (compareText(less, least) < 0) this.#least[into] = less
  }

  /** Adds events to the component of an identifier. */
  count(number: number, events: number): void {
    const root = this.#rootOf(number)
    this.#events[root] = (this.#events[root] as number) + events
  }

  /** Divides the components into partitions of about `eventsMax` events; those with more than
   * `componentMax` are in none. Which partition a component is in depends on the identifiers and
   * counts alone. */
  partitions(eventsMax: number, componentMax: number): Partitions {
    let total = 0
    let largest = 0
    this.#parent.forEach((parent, one) => {
      if (parent !== one) return
      total += this.#events[one] as number
      largest = Math.max(largest, this.#events[one] as number)
    })
    const count = Math.ceil(total / eventsMax)
    const ofRoot = this.#parent.map((parent, one) => {
      if (parent !== one || (this.#events[one] as number) > componentMax) return OVERSIZED
      return Number(hash64(this.#least[one] as string) % BigInt(Math.max(1, count)))
    })
    return {
      count,
      largest,
      hasOversized: largest > componentMax,
      of: (identifier) => ofRoot[this.#rootOf(this.#numberOf.get(identifier) as number)] as number,
    }
  }

  #rootOf(number: number): number {
    let one = number
    while (this.#parent[one] !== one) {
      const parent = this.#parent[one] as number
      this.#parent[one] = this.#parent[parent] as number
      one = this.#parent[one] as number
    }
    return one
  }
}

/** Partitions of whole components. */
export type Partitions = {
  count: number
  /** Events of the largest component. */
  largest: number
  hasOversized: boolean
  /** Returns the partition of a known identifier, or `OVERSIZED`. */
  of: (identifier: string) => number
}
