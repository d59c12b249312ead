/** Folders of definitions, written as the text of their default exports. */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Makes a folder in `dir`. A process loads a file once: what changes is in another folder. */
export function definitionsFolder(dir: string, files: { [name: string]: string }): string {
  const at = mkdtempSync(join(dir, 'definitions-'))
  for (const [name, definition] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), `export default ${definition}`)
  }
  return at
}
