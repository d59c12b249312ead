/** Parameters of a query, bound by their position. */

/** Returns one `?` for each value, as a list. */
export function marksOf(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

/** Returns a function that adds a value to `values` and returns its `?`. Call it in the order of the
 * text. */
export function binderOf<T>(values: T[]): (value: T) => string {
  return (value) => {
    values.push(value)
    return '?'
  }
}
