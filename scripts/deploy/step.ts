/**
 * Deployment steps as data: a reason and a command, and for a resource that may exist already, a
 * command that checks it first. Steps are printed as a shell script or run.
 */

import { shellWord } from '../../pipeline/base/text.ts'

/** Command line: the program, its global options, the command and its arguments. `$NAME` in an
 * argument is a value that an earlier step has stored. */
export type Command = {
  program: 'gcloud' | 'bq' | 'npm'
  globals: string[]
  path: string[]
  args: string[]
}

/** One or several commands, run in order. */
export type Commands = Command | readonly Command[]

/** Either `run`, or `look` and then `ifThere` if all commands of `look` exit with 0, otherwise
 * `ifAbsent`. `learn` is the name under which the output is stored. `mend` is advice after a
 * failure. */
export type Step = { why: string; mend?: string } & (
  { run: Command; learn?: string } | { look: Commands; ifAbsent?: Command; ifThere?: Commands }
)

/** Environment variables of every command: disables prompts. */
export const SETTINGS = { CLOUDSDK_CORE_DISABLE_PROMPTS: '1' }

/** Placeholder of a stored value in an argument. */
export const LEARNED = /\$([A-Z_]+)/g

const COLUMNS = 98

export function wordsOf({ program, globals, path, args }: Command): string[] {
  return [program, ...globals, ...path, ...args]
}

/** Returns all commands of a step. */
export function commandsOf(step: Step): Command[] {
  if ('run' in step) return [step.run]
  return [step.look, step.ifAbsent ?? [], step.ifThere ?? []].flat()
}

/** Returns a script for `sh` that stops at the first failure and can be run again. */
export function scriptOf(steps: readonly Step[]): string {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `export ${name}=${value}`)
  return [['set -eu', ...settings].join('\n'), ...steps.map(textOf)].join('\n\n') + '\n'
}

/** Returns a command as one line for a shell. */
export function lineOf(command: Command): string {
  return wordsOf(command)
    .map((word) => quoted(word, command.program))
    .join(' ')
}

function textOf(step: Step): string {
  return [...folded(step.why).map((line) => `# ${line}`), actionOf(step)].join('\n')
}

function actionOf(step: Step): string {
  if ('run' in step) {
    const { run, learn } = step
    return learn === undefined ? linesOf(run, '') : `${learn}="$(${lineOf(run)})"`
  }
  const { look, ifAbsent, ifThere } = step
  const questions = [look].flat().map((command) => `${lineOf(command)} > /dev/null 2>&1`)
  const question = questions.join(' &&\n  ')
  const absent = ifAbsent === undefined ? '' : linesOf(ifAbsent, '  ')
  const there = [ifThere ?? []]
    .flat()
    .map((command) => linesOf(command, '  '))
    .join('\n')
  if (there === '') return `if ! ${question}; then\n${absent}\nfi`
  return `if ${question}; then\n${there}\n${absent === '' ? '' : `else\n${absent}\n`}fi`
}

/** Returns a command, with one argument per line if it is too long for one line. */
function linesOf(command: Command, indent: string): string {
  const line = indent + lineOf(command)
  if (line.length <= COLUMNS) return line
  const { args } = command
  const first = args[0]?.startsWith('--') ? 0 : 1
  const start = indent + lineOf({ ...command, args: args.slice(0, first) })
  return [
    start,
    ...args.slice(first).map((arg) => `${indent}  ${quoted(arg, command.program)}`),
  ].join(' \\\n')
}

function folded(text: string): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length > COLUMNS - 2) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}

/** Quotes a word of a command. Stored values are expanded for cloud programs only, because the
 * name of a folder may contain `$`. */
function quoted(word: string, program: Command['program']): string {
  if (program === 'npm' || !word.includes('$')) return shellWord(word)
  // `:?` makes the shell fail if the value is empty.
  return `"${word.replaceAll(LEARNED, '${$1:?}')}"`
}
