/**
 * Events as columns: one array per column, rows by number. Stages receive an `Events` and row
 * numbers in event order, not row objects.
 *
 * It has only what deriving needs. Properties and context stay in the decoded batch; the values
 * that guards, keys and `splitOn` read are here as operands.
 */

import type { Json } from '../base/json.ts'
import { compareText, type Place } from '../base/event-order.ts'

export class Events {
  readonly occurredAt: number[] = []
  readonly ordinal: number[] = []
  readonly eventId: string[] = []
  readonly name: string[] = []
  readonly source: string[] = []
  readonly stream: string[] = []
  /** By namespace in declared order, then by row: `namespace:value`, or undefined. */
  readonly identifiers: (string | undefined)[][]
  /** By operand path, then by row; undefined means absent. */
  readonly operands: (Json | undefined)[][]

  constructor(namespaceCount: number, operandCount: number) {
    this.identifiers = Array.from({ length: namespaceCount }, () => [])
    this.operands = Array.from({ length: operandCount }, () => [])
  }

  get count(): number {
    return this.eventId.length
  }

  place(row: number): Place {
    return [
      this.occurredAt[row] as number,
      this.ordinal[row] as number,
      this.eventId[row] as string,
    ]
  }

  /** Compares row numbers in event order. */
  readonly inOrder = (a: number, b: number): number =>
    (this.occurredAt[a] as number) - (this.occurredAt[b] as number) ||
    (this.ordinal[a] as number) - (this.ordinal[b] as number) ||
    compareText(this.eventId[a] as string, this.eventId[b] as string)

  /** Returns whether the row is after the place in event order. */
  isAfter(row: number, place: Place): boolean {
    const ahead =
      (this.occurredAt[row] as number) - place[0] || (this.ordinal[row] as number) - place[1]
    return ahead === 0 ? compareText(this.eventId[row] as string, place[2]) > 0 : ahead > 0
  }
}

/**
 * Returns the namespace, by position, of the identifier that is a row's stream: its first device
 * identifier in declared order, otherwise its first person identifier; -1 without any. Namespaces
 * from `deviceFrom` on are devices.
 */
export function streamNamespaceOf(
  identifiers: readonly (string | undefined)[][],
  row: number,
  deviceFrom: number,
): number {
  for (let n = deviceFrom; n < identifiers.length; n++) {
    if (identifiers[n]?.[row] !== undefined) return n
  }
  for (let n = 0; n < deviceFrom; n++) {
    if (identifiers[n]?.[row] !== undefined) return n
  }
  return -1
}
