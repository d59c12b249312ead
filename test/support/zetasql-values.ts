/** Converts values between warehouse rows and the evaluator of BigQuery's dialect. */

import { formatInstant, parseInstant } from '../../pipeline/base/clock.ts'

type Whole = { toNumber(): number }
export type Cell = {
  value?: string
  int64Value?: Whole
  doubleValue?: number
  boolValue?: boolean
  stringValue?: string
  dateValue?: number
  timestampValue?: { seconds: Whole; nanos: number }
}

/** Kinds of types that occur, by the numbers that the analyzer returns. */
export const KIND = {
  int64: 2,
  bool: 5,
  double: 7,
  string: 8,
  bytes: 9,
  date: 10,
  timestamp: 19,
  json: 26,
} as const

const SECOND = 1_000_000
const DAY = 86_400 * SECOND

/** Converts a column value for the evaluator; an absent value becomes null. */
export function cellOf(value: unknown, kind: number): object {
  if (value === null || value === undefined) return {}
  if (kind === KIND.string) return { stringValue: value }
  if (kind === KIND.int64) return { int64Value: value }
  if (kind === KIND.double) return { doubleValue: value }
  if (kind === KIND.bool) return { boolValue: value }
  if (kind === KIND.json) return { jsonValue: value }
  if (kind === KIND.date) return { dateValue: daysOf(value as string) }
  if (kind === KIND.timestamp) {
    const micros = value as number
    const seconds = Math.floor(micros / SECOND)
    return { timestampValue: { seconds, nanos: (micros - seconds * SECOND) * 1_000 } }
  }
  throw new Error(`cannot convert a value of kind ${kind} for the evaluator`)
}

/** Converts a value of the evaluator to that of a warehouse. */
export function valueOf(cell: Cell): unknown {
  switch (cell.value) {
    case undefined:
      return null
    case 'int64Value':
      return cell.int64Value?.toNumber()
    case 'dateValue':
      return formatInstant((cell.dateValue ?? 0) * DAY).slice(0, 10)
    case 'timestampValue': {
      const { seconds, nanos } = cell.timestampValue as { seconds: Whole; nanos: number }
      return seconds.toNumber() * SECOND + nanos / 1_000
    }
    default:
      return cell[cell.value as 'stringValue' | 'doubleValue' | 'boolValue']
  }
}

function daysOf(date: string): number {
  return (parseInstant(`${date}T00:00:00Z`) as number) / DAY
}
