/** Numbers as people read them. All instants are shown in UTC. */

const DAY = 86_400_000

/** `950`, `12.3k`, `4.1M`; a dash for what is not known. */
export function count(value: number | null): string {
  if (value === null) return '–'
  if (value < 10_000) return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
  const [scaled, unit] = value < 999_500 ? [value / 1e3, 'k'] : [value / 1e6, 'M']
  return `${scaled.toLocaleString('en-US', { maximumFractionDigits: scaled < 100 ? 1 : 0 })}${unit}`
}

/** Every digit, for where the exact number is asked for. */
export function exactly(value: number | null): string {
  if (value === null) return '–'
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** `1 person`, `12.3k people`. */
export function counted(value: number | null, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** `77 %`, `0.4 %`, and never a 0 or 100 that is not one. */
export function percent(rate: number | null): string {
  if (rate === null) return '–'
  const value = rate * 100
  if (value > 0 && value < 0.1) return '< 0.1 %'
  if (value > 99.9 && value < 100) return '> 99.9 %'
  const digits = value < 10 || value > 99 ? 1 : 0
  return `${value.toLocaleString('en-US', { maximumFractionDigits: digits })} %`
}

/** A difference of rates in percentage points: `+1.5`, `−0.2`, `0`. */
export function points(change: number): string {
  return signed(Math.round(change * 1_000) / 10)
}

/** A difference with its sign. */
export function signed(change: number): string {
  const value = Math.abs(change).toLocaleString('en-US', { maximumFractionDigits: 1 })
  return `${change === 0 ? '' : change > 0 ? '+' : '−'}${value}`
}

const UNITS: [name: string, ms: number, next: string, nextMs: number][] = [
  ['y', 365 * DAY, 'd', DAY],
  ['d', DAY, 'h', 3_600_000],
  ['h', 3_600_000, 'm', 60_000],
  ['m', 60_000, 's', 1_000],
]

/** `3 h 20 m`, `45 s`: two units at most, and one from ten on. */
export function duration(ms: number | null): string {
  if (ms === null) return '–'
  if (ms > 0 && ms < 1_000) return `${Math.max(1, Math.round(ms))} ms`
  if (ms < 59_500) return `${Math.round(ms / 1_000)} s`
  for (const [name, unitMs, next, nextMs] of UNITS) {
    // Rounded in the smaller unit first, so that 59 m 59.9 s is an hour.
    const rounded = Math.round(ms / nextMs) * nextMs
    if (rounded < unitMs) continue
    if (rounded >= 10 * unitMs) return `${exactly(Math.round(ms / unitMs))} ${name}`
    const whole = Math.floor(rounded / unitMs)
    const rest = Math.round((rounded - whole * unitMs) / nextMs)
    return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${next}`
  }
  return `${Math.round(ms / 1_000)} s`
}

const dayFormat = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
})
const shortDayFormat = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
})
const timeFormat = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  hour: '2-digit',
  minute: '2-digit',
})

/** `7 Mar 2026`. */
export function day(ms: number | null): string {
  return ms === null ? '–' : dayFormat.format(ms)
}

/** `7 Mar`. */
export function shortDay(ms: number): string {
  return shortDayFormat.format(ms)
}

/** `7 Mar 2026, 14:25 UTC`. */
export function instant(ms: number | null): string {
  return ms === null ? '–' : `${dayFormat.format(ms)}, ${timeFormat.format(ms)} UTC`
}

/** Returns a name of at most so many characters. A longer one loses its middle, because names differ
 * most often at the end. */
export function shortened(name: string, most: number): string {
  const characters = [...name]
  if (characters.length <= most) return name
  const kept = Math.max(0, most - 1)
  const start = characters.slice(0, Math.floor(kept / 2))
  const end = characters.slice(characters.length - Math.ceil(kept / 2))
  return `${start.join('')}…${end.join('')}`
}
