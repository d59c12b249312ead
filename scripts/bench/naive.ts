/**
 * Peers of the end-to-end figure in plain TypeScript, in memory: parsing the lines only, and a naive
 * script. The script deduplicates, cuts sessions, takes the last known user of a device, follows the
 * checkout journey and writes NDJSON. It has no state between runs and no corrections.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { elapsedMs } from '../../pipeline/base/clock.ts'

type Line = {
  event_id: string
  name: string
  occurred_at: string
  source: string
  identifiers: { anonymous_id?: string; user_id?: string }
  properties?: { value?: number; items_left?: number }
}

const GAP_MS = 1_800_000
const TIMEOUT_MS: { [state: string]: number } = { cart: 86_400_000, checkout: 3_600_000 }

/** Returns the wall time and CPU time, milliseconds, of `JSON.parse` for the lines of a file. */
export function parseUsage(file: string): { wallMs: number; cpuMs: number } {
  const lines = linesOf(file)
  const startedAt = elapsedMs()
  const before = process.cpuUsage()
  for (const line of lines) parsed(line)
  const { user, system } = process.cpuUsage(before)
  return { wallMs: elapsedMs() - startedAt, cpuMs: (user + system) / 1_000 }
}

/** Returns the milliseconds of the script from the input file to the output file. */
export function naiveMs(file: string, out: string): number {
  const startedAt = elapsedMs()
  const devices = new Map<string, { at: number; event: Line }[]>()
  const seen = new Set<string>()
  for (const line of linesOf(file)) {
    const event = parsed(line)
    const at = Date.parse(event?.occurred_at ?? '')
    if (event === null || Number.isNaN(at) || seen.has(event.event_id)) continue
    seen.add(event.event_id)
    const { anonymous_id: device, user_id: user } = event.identifiers
    const key = device ?? user ?? ''
    const events = devices.get(key)
    if (events === undefined) devices.set(key, [{ at, event }])
    else events.push({ at, event })
  }
  const rows: string[] = []
  const write = (row: object) => rows.push(JSON.stringify(row))
  const profiles = new Map<string, { at: number; event: Line }[]>()
  for (const [device, events] of devices) {
    events.sort((a, b) => a.at - b.at)
    let session = ''
    let endedAt = -Infinity
    let user: string | undefined
    for (const { at, event } of events) {
      if (at - endedAt > GAP_MS) session = event.event_id
      endedAt = at
      user = event.identifiers.user_id ?? user
      write({ event_id: event.event_id, session, device, user: user ?? device })
    }
    const known = profiles.get(user ?? device)
    if (known === undefined) profiles.set(user ?? device, events)
    else known.push(...events)
  }
  for (const [profile, events] of profiles) {
    events.sort((a, b) => a.at - b.at)
    let state = 'none'
    let enteredAt = 0
    for (const { at, event } of events) {
      const deadline = enteredAt + (TIMEOUT_MS[state] ?? Infinity)
      const moves: [string, number][] = deadline <= at ? [['abandoned', deadline]] : []
      const next = nextState(deadline <= at ? 'abandoned' : state, event)
      if (next !== null) moves.push([next, at])
      for (const [to, when] of moves) {
        write({ profile, from: state, to, at: when, event_id: event.event_id })
        state = to
        enteredAt = when
      }
    }
  }
  writeFileSync(out, rows.join('\n'))
  return elapsedMs() - startedAt
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n')
}

function parsed(line: string): Line | null {
  try {
    return JSON.parse(line) as Line
  } catch {
    return null
  }
}

function nextState(state: string, { name, properties = {} }: Line): string | null {
  if (name === 'Product Added' && state !== 'cart' && state !== 'checkout') return 'cart'
  if (name === 'Product Viewed' && (state === 'none' || state === 'purchased')) return 'browsing'
  if (name === 'Email Link Clicked' && state === 'abandoned') return 'cart'
  if (state === 'cart' && name === 'Product Removed') {
    return properties.items_left === 0 ? 'browsing' : 'cart'
  }
  if (state === 'cart' && name === 'Checkout Started') {
    return (properties.value ?? 0) >= 10 ? 'checkout' : null
  }
  if (state === 'checkout' && name === 'Order Completed') return 'purchased'
  return state === 'checkout' && name === 'Payment Failed' ? 'cart' : null
}
