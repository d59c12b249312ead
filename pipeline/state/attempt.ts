/** Work that may fail without consequence, because the warehouse has all data. */

/** Returns the result of `work`, or null if it fails. */
export function attempt<Result>(work: () => Result | null): Result | null {
  try {
    return work()
  } catch {
    return null
  }
}
