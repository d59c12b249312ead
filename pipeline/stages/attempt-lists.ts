/**
 * Open attempts of a profile at a funnel, in one list per scope, held values and steps reached. Lists
 * stay when they are empty.
 */

import type { Attempt } from './funnel-facts.ts'
import { placeOf } from './recent-steps.ts'

/** Attempts with the same scope, held values and steps reached, in the order they came. */
export class AttemptList {
  readonly scope: string
  readonly held: string
  /** The step reached last; in any order, all of them as text. */
  readonly steps: number | string
  count = 1
  /** Only the first `count` are in the list. */
  readonly #attempts: Attempt[]

  constructor(attempt: Attempt, steps: number | string) {
    this.scope = attempt.scope
    this.held = attempt.held
    this.steps = steps
    this.#attempts = [attempt]
  }

  at(position: number): Attempt {
    return this.#attempts[position] as Attempt
  }

  add(attempt: Attempt): void {
    if (this.count === this.#attempts.length) this.#attempts.push(attempt)
    else this.#attempts[this.count] = attempt
    this.count += 1
  }

  /** Puts an attempt of the list at an earlier position, over what was there. */
  move(from: number, to: number): void {
    if (from !== to) this.#attempts[to] = this.#attempts[from] as Attempt
  }
}

/** More lists than this are found by maps: making those takes longer than comparing a few. */
const COMPARED_MAX = 8

const NO_LISTS: readonly AttemptList[] = []

export class AttemptLists {
  readonly #isAnyOrder: boolean
  /** Only the first `count` are of this profile. */
  readonly #lists: AttemptList[] = []
  count = 0
  #maps: Maps | null = null

  constructor(isAnyOrder: boolean) {
    this.#isAnyOrder = isAnyOrder
  }

  clear(): void {
    this.count = 0
    this.#maps = null
  }

  /** Returns a list by its number below `count`. */
  get(number: number): AttemptList {
    return this.#lists[number] as AttemptList
  }

  /** Adds an attempt to the list in which it belongs, by what it has reached. */
  add(attempt: Attempt): void {
    const { scope, held, reached } = attempt
    const steps = this.#isAnyOrder
      ? reached.toSorted((a, b) => a - b).join()
      : (reached[reached.length - 1] as number)
    const known = this.#find(scope, steps, held)
    if (known !== null) {
      known.add(attempt)
      return
    }
    const list = new AttemptList(attempt, steps)
    if (this.count === this.#lists.length) this.#lists.push(list)
    else this.#lists[this.count] = list
    this.count += 1
    if (this.#maps !== null) this.#maps.add(list)
    else if (this.count > COMPARED_MAX) {
      this.#maps = new Maps()
      for (let i = 0; i < this.count; i++) this.#maps.add(this.get(i))
    }
  }

  /** Returns the attempts that reached a step last, in any order only that step; null if there never
   * were any. */
  at(scope: string, step: number, held: string): AttemptList | null {
    return this.#find(scope, this.#isAnyOrder ? String(step) : step, held)
  }

  #find(scope: string, steps: number | string, held: string): AttemptList | null {
    if (this.#maps !== null) return this.#maps.byKey.get(listKey(scope, steps, held)) ?? null
    for (let i = 0; i < this.count; i++) {
      const list = this.get(i)
      if (list.steps === steps && list.held === held && list.scope === scope) return list
    }
    return null
  }

  /** Returns whether a list was ever made in the scope. */
  has(scope: string): boolean {
    if (this.#maps !== null) return this.#maps.byScope.has(scope)
    for (let i = 0; i < this.count; i++) if (this.get(i).scope === scope) return true
    return false
  }

  ofScope(scope: string): readonly AttemptList[] {
    if (this.#maps !== null) return this.#maps.byScope.get(scope) ?? NO_LISTS
    return this.#lists.slice(0, this.count).filter((list) => list.scope === scope)
  }

  /** Returns the lists of a scope and held values. */
  ofPlace(scope: string, held: string): readonly AttemptList[] {
    if (this.#maps !== null) return this.#maps.byPlace.get(placeOf(scope, held)) ?? NO_LISTS
    return this.ofScope(scope).filter((list) => list.held === held)
  }
}

class Maps {
  /** By `listKey`. */
  readonly byKey = new Map<string, AttemptList>()
  readonly byScope = new Map<string, AttemptList[]>()
  /** By `placeOf`. */
  readonly byPlace = new Map<string, AttemptList[]>()

  add(list: AttemptList): void {
    this.byKey.set(listKey(list.scope, list.steps, list.held), list)
    addTo(this.byScope, list.scope, list)
    addTo(this.byPlace, placeOf(list.scope, list.held), list)
  }
}

function addTo(lists: Map<string, AttemptList[]>, key: string, list: AttemptList): void {
  const some = lists.get(key)
  if (some === undefined) lists.set(key, [list])
  else some.push(list)
}

/** Returns the key of a list. No part contains a NUL: steps are digits and commas, held values
 * JSON. */
function listKey(scope: string, steps: number | string, held: string): string {
  return `${steps}\0${held}\0${scope}`
}

/** Removes from a list, in place, what `isKept` rejects. Calls it once per attempt, in order. */
export function retain(list: AttemptList, isKept: (attempt: Attempt) => boolean): void {
  let kept = 0
  for (let i = 0; i < list.count; i++) {
    if (!isKept(list.at(i))) continue
    list.move(i, kept)
    kept += 1
  }
  list.count = kept
}
