/** Imports the files of a definitions folder. Errors show the line to write. */

import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { messageOf, UserError } from '../base/errors.ts'

/** Default export of a file; `file` is relative to the definitions folder. */
export type Module = { file: string; definition: unknown }

/** Set in a bundle (`scripts/run.js`): the copies of definition files in it, by path, and the modules
 * that register a TypeScript loader for all others. */
declare const BUNDLE: { modules: { [path: string]: string }; loaders: string[] } | undefined

/** Function that types the default export, by folder or file name. */
const DEFINERS: { [place: string]: string } = {
  identity: 'defineIdentity',
  sessions: 'defineSessions',
  events: 'defineEvents',
  journeys: 'defineJourney',
  funnels: 'defineFunnel',
  cohorts: 'defineCohort',
}

/** Imports a file of a definitions folder. Throws a `UserError` that names it and the fix. */
export async function importModule(dir: string, file: string): Promise<Module> {
  const path = resolve(dir, file)
  const definer = DEFINERS[file.split(/[/.]/)[0] ?? ''] ?? 'defineJourney'
  let module: { default?: unknown }
  try {
    module = (await import(await urlOf(path))) as { default?: unknown }
  } catch (thrown) {
    const what = messageOf(thrown)
    throw new UserError(`${path} cannot be loaded: ${firstLine(what)}${fixOf(path, definer, what)}`)
  }
  if (module.default === undefined) {
    throw new UserError(`${path} has no default export; write: export default ${definer}({ … })`)
  }
  return { file, definition: module.default }
}

/** Returns the URL that a definition file is imported from. */
async function urlOf(path: string): Promise<string> {
  const own = pathToFileURL(path).href
  if (typeof BUNDLE === 'undefined') return own
  const copy = BUNDLE.modules[path]
  if (copy !== undefined) return copy
  for (const loader of BUNDLE.loaders) (await import(loader)).register()
  return own
}

/** Returns what to write for an import that does not resolve, or for a name without an import. */
function fixOf(path: string, definer: string, what: string): string {
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(what)?.[1]
  const importer = /(?:imported from |Require stack:\n- )(.+)/.exec(what)?.[1] ?? path
  const write = (name: string) => `\n  write in ${importer}: ${importLine(importer, name)}`
  if (missing === 'zod') return write('z')
  if (missing !== undefined && /\bdefinition\/define(?:\.[jt]s)?$/.test(missing)) {
    return write(definer)
  }
  if (missing !== undefined && /\bdefinition\/events(?:\.[jt]s)?$/.test(missing)) {
    return write('defineEvents')
  }
  if (missing !== undefined && /\bevents(?:\.[jt]s)?$/.test(missing)) {
    return `\n  write that file, or remove its import from ${importer}`
  }
  const name = /^(\w+) is not defined$/.exec(what)?.[1]
  const isOurs = name === 'z' || (name !== undefined && Object.values(DEFINERS).includes(name))
  return isOurs ? write(name) : ''
}

/** Returns the line that imports a name of this program into a file anywhere. */
function importLine(path: string, name: string): string {
  const module = name === 'z' || name === 'defineEvents' ? './events.ts' : './define.ts'
  const target = fileURLToPath(new URL(module, import.meta.url))
  const from = relative(dirname(path), target).replaceAll('\\', '/')
  return `import { ${name} } from '${from.startsWith('.') ? from : `./${from}`}'`
}

const firstLine = (text: string) => text.split('\n')[0] ?? ''
