/**
 * Options that npm takes because `--` is missing: for `npm start --warehouse=x f`, the command only
 * receives `f`. npm leaves the options in environment variables, which are read here.
 */

import type { Command } from 'commander'
import { UserError } from '../../pipeline/base/errors.ts'
import { shellWord } from '../../pipeline/base/text.ts'

/** npm's own options: they may come from its settings, and no command changes anything without them. */
const NPM_OWN = new Set(['json', 'yes', 'location'])

/** Throws a `UserError` with the line to type if npm has taken an option of this command. */
export function refuseKeptOptions(
  program: Command,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): void {
  if (env['npm_lifecycle_event'] === undefined) return
  const options = [program, ...program.commands].flatMap((one) => one.options)
  const takesValue = new Map(
    options.map((option) => [option.name(), option.required || option.optional]),
  )
  const kept: string[] = []
  const left = [...args]
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('npm_config_')) continue
    const name = variable.slice('npm_config_'.length).replaceAll('_', '-')
    const hasValue = takesValue.get(name)
    if (hasValue === undefined || NPM_OWN.has(name)) continue
    kept.push(`--${name}`)
    if (!hasValue) continue
    // Without `=`, npm takes the option alone and passes its value on as an argument.
    if (value !== undefined && value !== 'true' && value !== '') kept.push(value)
    else kept.push(...takenFrom(left, program))
  }
  if (kept.length === 0) return
  const names = kept.filter((word) => word.startsWith('--')).join(', ')
  const words = isSub(program, left[0])
    ? [left[0] as string, ...kept, ...left.slice(1)]
    : [...kept, ...left]
  throw new UserError(
    `npm takes ${names} itself unless -- comes before it: ` +
      `${program.name()} -- ${words.map(shellWord).join(' ')}`,
    2,
  )
}

function isSub(program: Command, word: string | undefined): boolean {
  return program.commands.some((one) => one.name() === word)
}

/** Removes the first argument that can be a value from `left` and returns it. */
function takenFrom(left: string[], program: Command): string[] {
  const at = left.findIndex((word, i) => !(i === 0 && isSub(program, word)))
  return at < 0 ? [] : left.splice(at, 1)
}
