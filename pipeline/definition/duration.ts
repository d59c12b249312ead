/** Durations in definitions, and their length in microseconds. */

/** `90s`, `30m`, `1.5h`: a number and one of `ms s m h d w`. */
export type Duration = string

const UNIT_MS: { [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Returns the microseconds of a duration, or null if it is not one. Zero is not a duration. */
export function parseDuration(duration: unknown): number | null {
  if (typeof duration !== 'string') return null
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(duration)
  if (parts === null) return null
  const micros = Math.round(Number(parts[1]) * (UNIT_MS[parts[2] ?? ''] ?? 0) * 1_000)
  return micros > 0 && Number.isSafeInteger(micros) ? micros : null
}
