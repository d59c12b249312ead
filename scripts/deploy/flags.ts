/** Checks that the installed programs know every command and flag of a plan, from their help. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { commandsOf, wordsOf, type Command, type Step } from './step.ts'

const execute = promisify(execFile)

/** Number of programs run at a time; the help of a command takes about a second. */
const AT_ONCE = 4
const HELP_BYTES_MAX = 16 * 2 ** 20
const FLAG = /--(?:\[(no-?)\])?([a-z][\w-]*)/g

export type Verdict = {
  /** Programs that are not installed. */
  missing: string[]
  /** Commands and flags that the installed programs do not know. */
  unknown: string[]
  /** Number of commands. */
  commands: number
}

export async function checkFlags(steps: readonly Step[]): Promise<Verdict> {
  const missing = new Set<string>()
  const unknown: string[] = []
  const asked = askedOf(steps)
  const waiting = [...asked]
  const lookUp = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, { command, flags }] = next
      if (missing.has(command.program)) continue
      const known = await flagsOf(command)
      if (known === null) missing.add(command.program)
      else if (known.size === 0) unknown.push(name)
      else {
        for (const flag of flags) if (!known.has(flag)) unknown.push(`${name} ${flag}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lookUp))
  return { missing: [...missing].sort(), unknown: unknown.sort(), commands: asked.size }
}

type Asked = { command: Command; flags: Set<string> }

/** Returns the commands of cloud programs by name, with all flags that the steps use. */
function askedOf(steps: readonly Step[]): Map<string, Asked> {
  const asked = new Map<string, Asked>()
  for (const command of steps.flatMap(commandsOf)) {
    if (command.program === 'npm') continue
    const name = [command.program, ...command.path].join(' ')
    const flags = asked.get(name)?.flags ?? new Set()
    asked.set(name, { command, flags })
    for (const word of wordsOf(command)) {
      if (word.startsWith('--')) flags.add(word.split('=')[0] as string)
    }
  }
  return asked
}

/** Returns the flags in the help of a command: empty if the command does not exist, null if the
 * program is not installed. `bq help` exits with a failure code, which is ignored. */
async function flagsOf({ program, path }: Command): Promise<Set<string> | null> {
  const helps = program === 'bq' ? [['help', ...path], ['help']] : [[...path, '--help']]
  const flags = new Set<string>()
  for (const args of helps) {
    const help = await execute(program, args, { maxBuffer: HELP_BYTES_MAX }).catch(
      (failure: { code?: unknown; stdout?: string }) => failure,
    )
    if ('code' in help && help.code === 'ENOENT') return null
    for (const [, no, flag = ''] of (help.stdout ?? '').matchAll(FLAG)) {
      flags.add(`--${flag}`)
      if (no !== undefined) flags.add(`--${no}${flag}`)
    }
  }
  return flags
}
