/** Identifiers written as `namespace:value`. */

/** Returns the namespace of `namespace:value`. A namespace contains no colon. */
export function namespaceOf(identifier: string): string {
  return identifier.slice(0, identifier.indexOf(':'))
}
