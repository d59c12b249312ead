/**
 * A crash at a chosen step. Everything that a process awaits passes through a `Crash`. Each write
 * is two steps, before it and after it; at all reads in between the world outside is the same, so
 * they are no steps of their own. At the chosen step the process is dead: that call and every later
 * one never settles, so no `catch` and no `finally` of the code under test runs, as after SIGKILL.
 */

import type { EffectTopic } from '../../pipeline/io/outbox-publisher.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'

/** Calls that change something outside the process. */
const WRITES = new Set(['commit', 'append', 'publish', 'acknowledge'])

export class Crash {
  /** Steps in the order in which they were reached. */
  readonly steps: string[] = []
  /** Settles once the process is dead and no call of it is still running. */
  readonly happened: Promise<void>
  readonly #at: number
  #running = 0
  #settle: () => void = () => undefined

  /** Dies at the `at`-th step, counted from 1. Without a number it never does. */
  constructor(at = Infinity) {
    this.#at = at
    this.happened = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Does `work` as a step of the process. `work` is called at once, as it would be without this. */
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

  /** Whether the process is dead, at this step or since an earlier one. */
  #reach(step: string | null): boolean {
    if (step !== null && this.steps.length < this.#at) this.steps.push(step)
    return this.steps.length >= this.#at
  }

  #never(): Promise<never> {
    if (this.#running === 0) this.#settle()
    return new Promise(() => undefined)
  }
}

/** The same warehouse, whose calls are steps of a process. */
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

/** The same topic, whose calls are steps of a process. */
export function crashingTopic(topic: EffectTopic, crash: Crash): EffectTopic {
  return {
    name: topic.name,
    publish: (messages) => crash.through('publish', () => topic.publish(messages)),
  }
}
