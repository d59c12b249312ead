/** Identifiers written as `namespace:value`, and pairs of identifiers of one person. */

/** Third member of an alias that counts only if some event carries its first identifier. */
export const IF_CARRIED = 'if_carried'

/** Kind of a correction. `if_carried` is an alias with that condition. */
export type CorrectionKind = 'alias' | typeof IF_CARRIED | 'unlink'

/** The former identifier, the present one, and perhaps the condition. */
export type Alias = [from: string, to: string, condition?: typeof IF_CARRIED]

/** Returns the kind of a landed `alias`. */
export function kindOfAlias(alias: Alias): CorrectionKind {
  return alias[2] ?? 'alias'
}

/** Returns the namespace of `namespace:value`. A namespace contains no colon. */
export function namespaceOf(identifier: string): string {
  return identifier.slice(0, identifier.indexOf(':'))
}
