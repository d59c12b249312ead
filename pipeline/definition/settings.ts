/** Identity and session settings: shapes and defaults of `identity.ts` and `sessions.ts`. */

import type { Duration } from './duration.ts'

/** Settings of `identity.ts` with every default filled in. Namespaces are in priority order. */
export type Identity = {
  person: string[]
  device: string[]
  exclusive: string[]
  hashed: string[]
  ignore: string[]
  contested: 'last-known' | 'anonymous' | 'first'
  maxPersonsPerDevice: number
}

export const IDENTITY_DEFAULT: Identity = {
  person: ['user_id', 'email'],
  device: ['anonymous_id', 'device_id'],
  exclusive: ['user_id'],
  hashed: [],
  ignore: [],
  contested: 'last-known',
  maxPersonsPerDevice: 8,
}

/** Fills in the defaults. Default exclusive namespaces apply only if they are declared. */
export function identityOf(given: Partial<Identity>): Identity {
  const identity = withDefaults(IDENTITY_DEFAULT, given)
  if (given.exclusive !== undefined) return identity
  const person = [identity.person].flat()
  return { ...identity, exclusive: identity.exclusive.filter((name) => person.includes(name)) }
}

/** Settings of `sessions.ts` with every default filled in. */
export type Sessions = { gap: Duration; splitOn: string[]; maxDuration?: Duration }

export const SESSIONS_DEFAULT: Sessions = { gap: '30m', splitOn: [] }

export function sessionsOf(given: Partial<Sessions>): Sessions {
  return withDefaults(SESSIONS_DEFAULT, given)
}

/** Fills in defaults; an undefined member counts as omitted. */
function withDefaults<T extends object>(defaults: T, given: Partial<T>): T {
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...(Object.fromEntries(said) as Partial<T>) }
}
