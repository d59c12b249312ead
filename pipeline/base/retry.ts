/**
 * Retries of transient external errors. Other errors are thrown at once. Each retry is reported,
 * and waits twice as long as the one before, up to a limit, less up to half of it at random.
 */

import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from './errors.ts'

/** Attempts per call. Together they take one to two minutes. */
const TRIES_MAX = 9
const WAIT_FIRST_MS = 250
const WAIT_MAX_MS = 30_000

/** gRPC: deadline exceeded, resource exhausted, aborted, internal, unavailable. */
const GRPC_CODES = new Set([4, 8, 10, 13, 14])
const HTTP_CODES = new Set([408, 429, 500, 502, 503, 504])
const SYSTEM_CODES = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
])

/** Retry that is about to happen. */
export type Retry = { what: string; fault: string; attempt: number; waitMs: number }

export type Patience = { onRetry?: (retry: Retry) => void; signal?: AbortSignal }

/** Returns whether an error is external and transient. */
export function isTransient(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code
  if (typeof code === 'string') return SYSTEM_CODES.has(code)
  return typeof code === 'number' && (GRPC_CODES.has(code) || HTTP_CODES.has(code))
}

/** Returns milliseconds to wait after a failed attempt, counted from 1. Callers that fail together
 * retry at different times. */
export function backoffMs(attempt: number, firstMs: number, maxMs = Infinity): number {
  const most = Math.min(maxMs, firstMs * 2 ** (attempt - 1))
  return most - randomInt(Math.floor(most / 2) + 1)
}

/** Runs `work` and repeats it after transient errors. `work` must be safe to repeat. */
export async function retrying<Result>(
  what: string,
  work: () => Promise<Result>,
  { onRetry, signal }: Patience,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      if (!isTransient(thrown) || attempt === TRIES_MAX || signal?.aborted) throw thrown
      const waitMs = backoffMs(attempt, WAIT_FIRST_MS, WAIT_MAX_MS)
      onRetry?.({ what, fault: messageOf(thrown), attempt, waitMs })
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
        throw thrown
      })
    }
  }
}
