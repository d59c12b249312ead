/**
 * Classes of DuckDB failures. The Node binding throws plain errors without a code, so a class is
 * recognized by the beginning of the message. Every pattern is anchored at the start or the end of
 * the message, so that a path or value inside it has no effect.
 */

import { messageOf, UserError } from '../base/errors.ts'

/**
 * `locked`: another process has the file open. `corrupt`: the file or its log is damaged.
 * `foreign`: not a DuckDB file. `version`: the file was written by another DuckDB. `memory`: the
 * memory limit was reached. `disk`: the disk is full.
 */
export type EngineFault = 'locked' | 'corrupt' | 'foreign' | 'version' | 'memory' | 'disk'

/** Prefixes of engine messages; there are several if an error is passed on. */
const PREFIX =
  /^(?:(?:IO|FATAL|Fatal|TransactionContext|Serialization|Invalid Input|Internal|INTERNAL) Error: |Failed to commit: |Failure while replaying WAL file "[^"\n]*": )+/

const FAULTS: readonly (readonly [EngineFault, RegExp])[] = [
  ['locked', /^Could not set lock on file "/],
  ['foreign', /^The file "[^\n]*" exists, but it is not a valid DuckDB database file!/],
  ['version', /^Trying to read a database file with version number \d+/],
  ['version', /^Could not read database file: it was created with a newer version/i],
  ['corrupt', /^Corrupt (?:database|WAL) file/],
  ['corrupt', /^WAL does not match database file/],
  ['corrupt', /^Could not read enough bytes from file "/],
  ['corrupt', /^Could not read all bytes from file "/],
  ['disk', /: (?:No space left on device|File too large|Disk quota exceeded)$/],
  ['disk', /^Could not write all bytes to file "/],
  ['disk', /^Out of Memory Error: failed to offload data block of size /],
  ['memory', /^Out of Memory Error: /],
]

/** Marker after which an invalidated database repeats the original error. */
const ORIGINAL = 'Original error: "'

/** Returns the error that an invalidated database repeats, without its closing quote. */
function originalOf(message: string): string | null {
  const at = message.indexOf(ORIGINAL)
  if (at === -1) return null
  const line = message.slice(at + ORIGINAL.length).split('\n')[0] as string
  return line.endsWith('"') ? line.slice(0, -1) : line
}

/** Returns the class of an error message of the engine, or null for every other error. */
export function faultOf(message: string): EngineFault | null {
  const first = message.split('\n')[0] as string
  const said = first.replace(PREFIX, '')
  const found = FAULTS.find(([, pattern]) => pattern.test(said))
  if (found !== undefined) return found[0]
  const original = originalOf(message)
  return original === null ? null : faultOf(original)
}

/** Error of a file that cannot be read by this program, now or later. */
export class DamagedFile extends UserError {}

/** Returns a `UserError` that names the file, the cause and the next step of a file that could not
 * be opened. */
export function openFailure(path: string, thrown: unknown): UserError {
  const message = messageOf(thrown)
  const [first] = message.split('\n')
  switch (faultOf(message)) {
    case 'locked': {
      const holder = /\(PID (\d+)\)/.exec(message)?.[1]
      const who = holder === undefined ? 'another process' : `process ${holder}`
      return new UserError(
        `${path} is locked: ${who} has it open; wait for it to end, or choose another --warehouse`,
      )
    }
    case 'foreign':
      return notDuckDB(path)
    case 'version':
      return new DamagedFile(
        `${path} was written by another version of DuckDB (${first}): open it with the version of ` +
          'this program that created it, or choose another --warehouse',
      )
    case 'corrupt':
      return new DamagedFile(
        `${path} is damaged (${first}): restore the file and ${path}.wal from one backup, or load ` +
          'its events into a new file, npm start -- --warehouse duckdb:NEW FILE',
      )
    case 'memory':
    case 'disk':
      return workFailure(path, thrown) as UserError
    case null:
      return new UserError(`${path} cannot be opened as a warehouse: ${first}`)
  }
}

/** Returns the error for a file of another kind. */
export function notDuckDB(path: string): UserError {
  return new DamagedFile(`${path} is not a DuckDB file: choose another --warehouse`)
}

/** Returns what a failed statement throws: a `UserError` for a full disk, too little memory or a
 * damaged file, and the error itself for everything else. */
export function workFailure(path: string, thrown: unknown): unknown {
  if (thrown instanceof UserError) return thrown
  const message = messageOf(thrown)
  const fault = faultOf(message)
  const [first] = message.split('\n')
  if (fault === 'disk') {
    return new UserError(
      `the disk of ${path} is full: free space and run the same command again; committed ` +
        `batches are kept: ${diskCause(message)}`,
    )
  }
  if (fault === 'memory') {
    return new UserError(
      `DuckDB needs more memory than its limit for ${path}: nothing was committed; run the same ` +
        `command again with a smaller --batch-size (${first})`,
    )
  }
  return fault === 'corrupt' ? openFailure(path, thrown) : thrown
}

/** Returns the line of a message with the cause of the full disk. */
function diskCause(message: string): string {
  return originalOf(message) ?? (message.split('\n')[0] as string)
}
