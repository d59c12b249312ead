/**
 * Open attempts of a profile at a funnel, in one list per scope, held values and steps reached. Lists
 * stay when they are empty.
 */

import type { Attempt } from './funnel-facts.ts'
import { placeOf } from './recent-steps.ts'

export class AttemptLists {
  readonly #isAnyOrder: boolean
  /** By `listKey`. */
  readonly #lists = new Map<string, Attempt[]>()
  /** The same lists by scope. */
  readonly #scopes = new Map<string, Attempt[][]>()
  /** In any order: the same lists by `placeOf`. */
  readonly #places = new Map<string, Attempt[][]>()

  constructor(isAnyOrder: boolean) {
    this.#isAnyOrder = isAnyOrder
  }

  /** Returns the list in which an attempt belongs, by what it has reached. */
  of({ scope, held, reached }: Attempt): Attempt[] {
    const steps = this.#isAnyOrder
      ? reached.toSorted((a, b) => a - b).join()
      : String(reached[reached.length - 1])
    const key = listKey(scope, steps, held)
    let list = this.#lists.get(key)
    if (list === undefined) {
      list = []
      this.#lists.set(key, list)
      addTo(this.#scopes, scope, list)
      if (this.#isAnyOrder) addTo(this.#places, placeOf(scope, held), list)
    }
    return list
  }

  /** Returns the attempts that reached a step last. Not for funnels in any order. */
  at(scope: string, step: number, held: string): Attempt[] {
    return this.#lists.get(listKey(scope, String(step), held)) ?? []
  }

  /** Returns whether a list was ever made in the scope. */
  has(scope: string): boolean {
    return this.#scopes.has(scope)
  }

  ofScope(scope: string): readonly Attempt[][] {
    return this.#scopes.get(scope) ?? []
  }

  /** Returns the lists of a scope and held values. Only for funnels in any order. */
  ofPlace(scope: string, held: string): readonly Attempt[][] {
    return this.#places.get(placeOf(scope, held)) ?? []
  }

  all(): Iterable<Attempt[]> {
    return this.#lists.values()
  }
}

function addTo(lists: Map<string, Attempt[][]>, key: string, list: Attempt[]): void {
  const some = lists.get(key)
  if (some === undefined) lists.set(key, [list])
  else some.push(list)
}

/** Returns the key of a list. No part contains a NUL: steps are digits and commas, held values
 * JSON. */
function listKey(scope: string, steps: string, held: string): string {
  return `${steps}\0${held}\0${scope}`
}

/** Removes from a list, in place, what `isKept` rejects. Calls it once per item, in order. */
export function retain<T>(list: T[], isKept: (item: T) => boolean): void {
  let kept = 0
  for (let i = 0; i < list.length; i++) {
    const item = list[i] as T
    if (isKept(item)) list[kept++] = item
  }
  list.length = kept
}
