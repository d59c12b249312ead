/** Reduces a lock file to some packages and their dependencies, so that tested versions are deployed. */

type Needs = { [name: string]: string }
type Locked = {
  name?: string
  version?: string
  dependencies?: Needs
  optionalDependencies?: Needs
  peerDependencies?: Needs
}
/** `packages` by path, such as `node_modules/x` or `node_modules/x/node_modules/y`. */
export type Lock = { lockfileVersion: number; packages: { [place: string]: Locked } }

const FOLDER = 'node_modules/'

/** Returns the lock file of a package that depends on the `wanted` packages of `whole`. Throws an
 * `Error` if a required package is missing. */
export function lockOf(whole: Lock, name: string, wanted: readonly string[]): Lock {
  const reached = new Set<string>()
  const reach = (from: string, needed: string, isOptional: boolean) => {
    const place = placeOf(whole, from, needed)
    if (place === null) {
      if (isOptional) return
      throw new Error(`${needed}, required by ${from || name}, is not in the lock file`)
    }
    if (reached.has(place)) return
    reached.add(place)
    const { dependencies, optionalDependencies, peerDependencies } = whole.packages[place] ?? {}
    for (const next of Object.keys(dependencies ?? {})) reach(place, next, false)
    for (const next of Object.keys(optionalDependencies ?? {})) reach(place, next, true)
    for (const next of Object.keys(peerDependencies ?? {})) reach(place, next, true)
  }
  for (const needed of wanted) reach('', needed, false)
  const dependencies = Object.fromEntries(
    wanted.map((needed) => [needed, whole.packages[FOLDER + needed]?.version ?? '']),
  )
  return {
    lockfileVersion: whole.lockfileVersion,
    packages: {
      '': { name, dependencies },
      ...Object.fromEntries([...reached].sort().map((place) => [place, whole.packages[place]])),
    } as Lock['packages'],
  }
}

/** Resolves a package like Node: in the folder of the importing package, or of the one around it. */
function placeOf(lock: Lock, from: string, needed: string): string | null {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf(`/${FOLDER}`)))) {
    const place = at === '' ? FOLDER + needed : `${at}/${FOLDER}${needed}`
    if (lock.packages[place] !== undefined) return place
    if (at === '') return null
  }
}
