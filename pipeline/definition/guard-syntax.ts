/** Syntax of guards: plain data, compiled by `guard.ts`. */

import type { Json } from '../base/json.ts'
import type { Duration } from './duration.ts'

/** All operators of a guard must hold. Null means absent. */
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

/** Condition on the event, on the instance, or on other conditions. */
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
