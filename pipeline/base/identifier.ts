/** Identifiers written as `namespace:value`. */

/** The namespace of `namespace:value`; a namespace has no colon. */
export function namespaceOf(identifier: string): string {
  return identifier.slice(0, identifier.indexOf(':'))
}
