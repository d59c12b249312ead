/** Parameters of a query. */

/** Returns one `?` for each value, as a list. */
export function marksOf(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}
