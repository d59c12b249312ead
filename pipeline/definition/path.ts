/**
 * Paths into an event: `source`, `name`, `properties.…` and `context.…`. Every option that takes a
 * path takes these; `property` and `context` of a guard take the part after the first dot.
 */

const FIELDS = ['source', 'name']
const OBJECTS = ['properties', 'context']

/** Valid forms of a path, for error messages. */
export const PATH_FORMS = 'source, name, properties.PATH or context.PATH'

/** Returns what is wrong with a path and what to write instead, or null for a valid path. */
export function pathFault(path: unknown): string | null {
  if (typeof path === 'string') {
    if (FIELDS.includes(path)) return null
    const [object = '', ...members] = path.split('.')
    const isWhole = members.length > 0 && members.every((member) => member !== '')
    if (OBJECTS.includes(object) && isWhole) return null
    if (isBare(path)) {
      const fix = `write 'properties.${path}' or 'context.${path}'`
      return `${JSON.stringify(path)} is not a path into an event; ${fix}`
    }
  }
  return `${JSON.stringify(path)} is not a path into an event; write ${PATH_FORMS}`
}

/** Returns what is wrong with the path of a guard's or key's `member`, or null. */
export function memberPathFault(member: 'property' | 'context', path: string): string | null {
  if (path.split('.').includes('')) {
    return `it is not a path; write member names separated by dots, such as 'page.url'`
  }
  const prefix = member === 'property' ? 'properties.' : 'context.'
  if (!path.startsWith(prefix)) return null
  return `the path begins inside ${prefix.slice(0, -1)}; write '${path.slice(prefix.length)}'`
}

/**
 * Returns the full path. Releases recorded before paths were checked may contain bare names; those
 * are properties.
 */
export function eventPath(path: string): string {
  return pathFault(path) === null ? path : `properties.${path}`
}

const isBare = (path: string) =>
  !OBJECTS.includes(path.split('.')[0] ?? '') && !path.split('.').includes('')
