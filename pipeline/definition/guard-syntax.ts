/** Guards as definitions write them: plain data, which `guard.ts` compiles. */

import type { Json } from '../base/json.ts'
import type { Duration } from './duration.ts'

/** Several operators in one guard must all hold. Null means absent. */
export type Operators = {
  eq?: Json
  ne?: Json
  gt?: number | string
  gte?: number | string
  lt?: number | string
  lte?: number | string
  in?: Json[]
  exists?: boolean
  startsWith?: string
  contains?: Json
}

/** A condition on the event, on the instance, or on other conditions. */
export type Guard =
  | ({ property: string } & Operators)
  | ({ context: string } & Operators)
  | ({ field: 'source' | 'name' } & Operators)
  | ({ count: string } & Operators)
  | ({ visits: string } & Operators)
  | { in: string }
  | { dwell: { gte?: Duration; lt?: Duration } }
  | { all: Guard[] }
  | { any: Guard[] }
  | { not: Guard }
