/**
 * Components of a whole history: identifiers that events or corrections connect, directly or through
 * others. No step of a derivation reads beyond a component, so whole components can be derived one
 * after another, each without any stored state.
 */

import { compareText } from '../base/event-order.ts'
import { hash64 } from '../base/hash.ts'

/** Partition of events whose component is larger than a partition may be. */
export const OVERSIZED = -1

/** Union-find over identifiers, with the number of events of each component. */
export class Components {
  readonly #numberOf = new Map<string, number>()
  readonly #parent: number[] = []
  /** By root: the least identifier, which names the component, and its number of events. */
  readonly #least: string[] = []
  readonly #events: number[] = []

  /** Connects identifiers, which that many events carry. */
  add(identifiers: Iterable<string>, events: number): void {
    let root = -1
    for (const identifier of identifiers) {
      const other = this.#rootOf(this.#number(identifier))
      root = root < 0 ? other : this.#join(root, other)
    }
    if (root >= 0) this.#events[root] = (this.#events[root] as number) + events
  }

  /** Divides the components into partitions of about `eventsMax` events. Which partition a component
   * is in depends on the identifiers and counts alone. */
  partitions(eventsMax: number): Partitions {
    let total = 0
    this.#parent.forEach((parent, one) => {
      if (parent === one) total += this.#events[one] as number
    })
    const count = Math.ceil(total / eventsMax)
    const ofRoot = this.#parent.map((parent, one) => {
      if (parent !== one) return OVERSIZED
      if ((this.#events[one] as number) > eventsMax) return OVERSIZED
      return Number(hash64(this.#least[one] as string) % BigInt(count))
    })
    const hasOversized = this.#parent.some(
      (parent, one) => parent === one && ofRoot[one] === OVERSIZED,
    )
    return {
      count,
      hasOversized,
      of: (identifier) => ofRoot[this.#rootOf(this.#numberOf.get(identifier) as number)] as number,
    }
  }

  #number(identifier: string): number {
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

  #rootOf(number: number): number {
    let one = number
    while (this.#parent[one] !== one) {
      const parent = this.#parent[one] as number
      this.#parent[one] = this.#parent[parent] as number
      one = this.#parent[one] as number
    }
    return one
  }

  #join(a: number, b: number): number {
    if (a === b) return a
    const [into, from] = (this.#events[a] as number) < (this.#events[b] as number) ? [b, a] : [a, b]
    this.#parent[from] = into
    this.#events[into] = (this.#events[into] as number) + (this.#events[from] as number)
    const [least, other] = [this.#least[into] as string, this.#least[from] as string]
    if (compareText(other, least) < 0) this.#least[into] = other
    return into
  }
}

/** Partitions of whole components. */
export type Partitions = {
  count: number
  hasOversized: boolean
  /** Returns the partition of a known identifier, or `OVERSIZED`. */
  of: (identifier: string) => number
}
