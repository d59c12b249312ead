/**
 * Components of a whole history: identifiers that events or corrections connect, directly or through
 * others. No step of a derivation reads beyond a component, so whole components can be derived one
 * after another, each without any stored state.
 */

import { hashWords } from '../base/hash.ts'
import { HashNumbers } from '../base/hash-numbers.ts'
import { Ints } from '../stages/growable-array.ts'

/** Partition of events whose component is too large. */
export const OVERSIZED = -1

/** Events of a partition, about. */
export const PARTITION_EVENTS = 50_000

/** A component with more events is not derived at once, because that would take too much memory. */
export const COMPONENT_EVENTS_MAX = 400_000

/**
 * Union-find over identifiers, with the number of events of each component. Identifiers are known by
 * 64-bit hashes. Two that share a hash count as connected, which only makes a part larger.
 */
export class Components {
  readonly #numbers = new HashNumbers()
  readonly #parent = new Ints()
  /** By root: the identifier with the least hash, and the number of events. */
  readonly #least = new Ints()
  readonly #events = new Ints()

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
    const number = this.#numbers.add(...hashWords(identifier))
    if (number === this.#parent.length) {
      this.#parent.push(number)
      this.#least.push(number)
      this.#events.push(0)
    }
    return number
  }

  /** Connects two identifiers. */
  connect(one: number, other: number): void {
    const [a, b] = [this.#rootOf(one), this.#rootOf(other)]
    if (a === b) return
    const [into, from] = this.#events.at(a) < this.#events.at(b) ? [b, a] : [a, b]
    this.#parent.set(from, into)
    this.#events.set(into, this.#events.at(into) + this.#events.at(from))
    const [least, less] = [this.#least.at(into), this.#least.at(from)]
    if (this.#numbers.isLess(less, least)) this.#least.set(into, less)
  }

  /** Adds events to the component of an identifier. */
  count(number: number, events: number): void {
    const root = this.#rootOf(number)
    this.#events.set(root, this.#events.at(root) + events)
  }

  /** Divides the components into partitions of about `eventsMax` events; those with more than
   * `componentMax` are in none. Which partition a component is in depends on the identifiers and
   * counts alone. */
  partitions(eventsMax: number, componentMax: number): Partitions {
    const { length } = this.#parent
    const isRoot = (one: number) => this.#parent.at(one) === one
    let total = 0
    let largest = 0
    for (let one = 0; one < length; one++) {
      if (!isRoot(one)) continue
      total += this.#events.at(one)
      largest = Math.max(largest, this.#events.at(one))
    }
    const count = Math.ceil(total / eventsMax)
    const ofRoot = new Int32Array(length).fill(OVERSIZED)
    for (let one = 0; one < length; one++) {
      if (!isRoot(one) || this.#events.at(one) > componentMax) continue
      ofRoot[one] = this.#numbers.lowOf(this.#least.at(one)) % Math.max(1, count)
    }
    return {
      count,
      largest,
      hasOversized: largest > componentMax,
      of: (identifier) => {
        const number = this.#numbers.find(...hashWords(identifier))
        return ofRoot[this.#rootOf(number)] as number
      },
    }
  }

  #rootOf(number: number): number {
    let one = number
    for (let parent = this.#parent.at(one); parent !== one; parent = this.#parent.at(one)) {
      const next = this.#parent.at(parent)
      this.#parent.set(one, next)
      one = next
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
