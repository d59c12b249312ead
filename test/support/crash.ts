/**
 * Simulates a crash at a chosen step. All calls that a process awaits go through a `Crash`. Each
 * write is two steps, before and after; reads are not steps, because they change nothing outside.
 * At the chosen step the process is dead: this call and all later ones never settle, so no `catch`
 * or `finally` of the tested code runs, as after SIGKILL.
 */

import type { EffectTopic } from '../../pipeline/io/outbox-publisher.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

/** Calls that change something outside the process. */
const WRITES = new Set(['commit', 'append', 'publish', 'acknowledge'])

export class Crash {
  /** Steps in the order they were reached. */
  readonly steps: string[] = []
  /** Resolves once the process is dead and none of its calls is running. */
  readonly happened: Promise<void>
  readonly #at: number
  #running = 0
  #settle: () => void = () => undefined

  /** Crashes at step `at`, counted from 1; without a number, never. */
  constructor(at = Infinity) {
    this.#at = at
    this.happened = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Runs `work` as a step of the process. Calls `work` at once. */
  through<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const isWrite = WRITES.has(name)
    if (this.#reach(isWrite ? name : null)) return this.#never()
    this.#running += 1
    const done = () => {
      this.#running -= 1
      return this.#reach(isWrite ? `${name} done` : null)
    }
    return work().then(
      (result) => (done() ? this.#never() : result),
      (thrown: unknown) => {
        if (done()) return this.#never()
        throw thrown
      },
    )
  }

  /** Returns whether the process is dead, at this step or since an earlier one. */
  #reach(step: string | null): boolean {
    if (step !== null && this.steps.length < this.#at) this.steps.push(step)
    return this.steps.length >= this.#at
  }

  #never(): Promise<never> {
    if (this.#running === 0) this.#settle()
    return new Promise(() => undefined)
  }
}

/** Returns the warehouse with its calls as steps of a process. */
export function crashingWarehouse(warehouse: Warehouse, crash: Crash): Warehouse {
  return new Proxy(warehouse, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown
      if (typeof member !== 'function') return member
      if (name === 'stream') return member.bind(target) as unknown
      return (...args: unknown[]) =>
        crash.through(String(name), () => Reflect.apply(member, target, args) as Promise<unknown>)
    },
  })
}

/** Returns the topic with its calls as steps of a process. */
export function crashingTopic(topic: EffectTopic, crash: Crash): EffectTopic {
  return {
    name: topic.name,
    publish: (messages) => crash.through('publish', () => topic.publish(messages)),
  }
}
