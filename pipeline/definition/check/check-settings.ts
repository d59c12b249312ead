/** Static checks of `identity.ts` and `sessions.ts`. */

import { IDENTITY_DEFAULT, identityOf } from '../settings.ts'
import {
  checkDuration,
  checkMembers,
  checkPaths,
  isData,
  isPlain,
  Problems,
  type Plain,
} from './problems.ts'

/** Returns every problem of `identity.ts`; empty if it is valid. */
export function checkIdentity(file: string, identity: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(identity)) {
    problems.add('', 'the default export is not an identity; export default defineIdentity({ … })')
    return problems.found
  }
  if (!isData(problems, identity)) return problems.found
  checkMembers(problems, '', identity, Object.keys(IDENTITY_DEFAULT))
  const merged: Plain = identityOf(identity)
  const list = (member: string): string[] => {
    const names = merged[member]
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names
    problems.add('', `${member} ${JSON.stringify(names)} is not a list of texts`)
    return []
  }
  const [person, device] = [list('person'), list('device')]
  const namespaces = [...person, ...device]
  list('ignore')
  if (namespaces.length === 0)
    problems.add('', "no namespace is declared; write person: ['user_id']")
  namespaces.forEach((name, i) => {
    if (name === '' || name.includes(':')) {
      problems.add('', `namespace ${JSON.stringify(name)} is not allowed; write it without a colon`)
    }
    if (namespaces.indexOf(name) < i)
      problems.add('', `namespace ${name} is declared twice; remove one`)
  })
  for (const name of list('exclusive')) {
    if (person.includes(name)) continue
    problems.add(
      '',
      `exclusive names ${name}, which is not a person namespace; write one of ${person}`,
    )
  }
  for (const name of list('hashed')) {
    if (namespaces.includes(name)) continue
    problems.add('', `hashed names ${name}, which is not declared; write one of ${namespaces}`)
  }
  const { contested, maxPersonsPerDevice: most } = merged
  if (!['last-known', 'anonymous', 'first'].some((rule) => rule === contested)) {
    const fix = "write 'last-known', 'anonymous' or 'first'"
    problems.add('', `contested ${JSON.stringify(contested)} is unknown; ${fix}`)
  }
  if (!Number.isSafeInteger(most) || (most as number) < 1) {
    problems.add('', `maxPersonsPerDevice ${JSON.stringify(most)} is not a count; write 1 or more`)
  }
  return problems.found
}

/** Returns every problem of `sessions.ts`; empty if it is valid. */
export function checkSessions(file: string, sessions: unknown): string[] {
  const problems = new Problems(file)
  if (!isPlain(sessions)) {
    problems.add('', 'the default export is not an object; export default defineSessions({ … })')
    return problems.found
  }
  if (!isData(problems, sessions)) return problems.found
  checkMembers(problems, '', sessions, ['gap', 'splitOn', 'maxDuration'])
  checkDuration(problems, '', 'gap', sessions['gap'])
  checkDuration(problems, '', 'maxDuration', sessions['maxDuration'])
  checkPaths(problems, 'splitOn', sessions['splitOn'], 'context.campaign.source')
  return problems.found
}
