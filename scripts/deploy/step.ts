/**
 * A deployment as data: steps, each a reason and a command, and for what may be there already a
 * look first. It is printed as a shell script that does the same, or carried out.
 */

import { shellWord } from '../../pipeline/base/text.ts'

/** A command line: the program, what it takes before its command, the command, its arguments. An
 * argument may have `$NAME` in it, which an earlier step has learned. */
export type Command = {
  program: 'gcloud' | 'bq' | 'npm'
  globals: string[]
  path: string[]
  args: string[]
}

/** One command, or several, one after the other. */
export type Commands = Command | readonly Command[]

/** `run` always; or, as a look finds that it is there or is not (exit code 0 of all its commands or
 * not), one of two. `learn` names what a command prints. `mend`: what to do when the step fails. */
export type Step = { why: string; mend?: string } & (
  { run: Command; learn?: string } | { look: Commands; ifAbsent?: Command; ifThere?: Commands }
)

/** The environment of every command: nobody is there to be asked. */
export const SETTINGS = { CLOUDSDK_CORE_DISABLE_PROMPTS: '1' }

/** Placeholder for a learned value in an argument. */
export const LEARNED = /\$([A-Z_]+)/g

const COLUMNS = 98

export function wordsOf({ program, globals, path, args }: Command): string[] {
  return [program, ...globals, ...path, ...args]
}

/** Every command of a step. */
export function commandsOf(step: Step): Command[] {
  if ('run' in step) return [step.run]
  return [step.look, step.ifAbsent ?? [], step.ifThere ?? []].flat()
}

/** A script for `sh`, which stops at the first failure and can be run again. */
export function scriptOf(steps: readonly Step[]): string {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `export ${name}=${value}`)
  return [['set -eu', ...settings].join('\n'), ...steps.map(textOf)].join('\n\n') + '\n'
}

/** A command on one line, as a shell takes it. */
export function lineOf(command: Command): string {
  return wordsOf(command)
    .map((word) => quoted(word, command.program))
    .join(' ')
}

function textOf(step: Step): string {
  return [...folded(step.why).map((line) => `# ${line}`), deedOf(step)].join('\n')
}

function deedOf(step: Step): string {
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

/** A command that is too long for a line has each of its arguments but the first on one. */
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

/** Quotes a word of a command. Only words of cloud programs contain learned values: a folder may have
 * any name, and nothing in it is for the shell. */
function quoted(word: string, program: Command['program']): string {
  if (program === 'npm' || !word.includes('$')) return shellWord(word)
  // The shell fails if nothing was learned.
  return `"${word.replaceAll(LEARNED, '${$1:?}')}"`
}
