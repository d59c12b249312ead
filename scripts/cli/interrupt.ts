/**
 * Ctrl-C and SIGTERM. A command that does not handle them ends at once: temporary files are
 * removed, and one line states what is committed and how to continue.
 */

import { note } from './output.ts'

/** Cleanups of an interrupted command, run in reverse order of registration. */
const cleanups: (() => void)[] = []

type Listener = (signal: NodeJS.Signals, number: number) => void

/** Listener of both signals. A command with its own handling replaces the default one. */
let listener: Listener | null = null

function listen(next: Listener): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    if (listener !== null) process.off(signal, listener)
    process.on(signal, next)
  }
  listener = next
}

/** Runs `cleanup` if the command is interrupted. Returns a function that withdraws it. */
export function onInterrupt(cleanup: () => void): () => void {
  cleanups.push(cleanup)
  return () => {
    const at = cleanups.indexOf(cleanup)
    if (at >= 0) cleanups.splice(at, 1)
  }
}

/** On Ctrl-C or SIGTERM, prints the text that `outcome` returns and exits with code 130 or 143. */
export function endOnInterrupt(outcome: () => string): void {
  listen((_signal, number) => {
    for (const cleanup of cleanups.toReversed()) cleanup()
    note(`interrupted: ${outcome()}`)
    process.exit(128 + number)
  })
}

/** Returns a signal that the first Ctrl-C or SIGTERM aborts, so that the command can end by itself.
 * The second ends the process at once. */
export function interruption(onFirst: () => void): AbortSignal {
  const controller = new AbortController()
  listen(() => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    onFirst()
  })
  return controller.signal
}
