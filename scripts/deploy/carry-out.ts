/** Runs deployment steps in order, as the printed script does. The first failure ends the run. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { UserError } from '../../pipeline/base/errors.ts'
import {
  LEARNED,
  lineOf,
  SETTINGS,
  wordsOf,
  type Command,
  type Commands,
  type Step,
} from './step.ts'

/** Runs the steps. `tell` is called with a line before each step. Throws a `UserError` at the first
 * failure. */
export async function carryOut(
  steps: readonly Step[],
  tell: (line: string) => void,
): Promise<void> {
  const learned = new Map<string, string>()
  for (const [i, step] of steps.entries()) {
    tell(`[${i + 1}/${steps.length}] ${step.why}`)
    const commands = 'run' in step ? [step.run] : await chosen(step, learned)
    const learns = 'run' in step ? step.learn : undefined
    for (const command of commands) {
      const { code, said } = await execute(command, learned, learns ? 'pipe' : 'inherit')
      const isEmpty = learns !== undefined && said.trim() === ''
      if (code !== 0 || isEmpty) {
        const { mend = 'the reason is printed above' } = step
        const how = isEmpty ? 'printed nothing' : `failed with exit code ${code}`
        throw new UserError(
          `step ${i + 1} of ${steps.length} ${how}: ${lineOf(command)}\n` +
            `  ${mend}; then run the same command again: finished steps are skipped or repeated safely`,
        )
      }
      if (learns !== undefined) learned.set(learns, said.trim())
    }
  }
}

async function chosen(
  { look, ifThere, ifAbsent }: Extract<Step, { look: Commands }>,
  learned: ReadonlyMap<string, string>,
): Promise<Command[]> {
  for (const command of [look].flat()) {
    const { code } = await execute(command, learned, 'ignore')
    if (code !== 0) return ifAbsent === undefined ? [] : [ifAbsent]
  }
  return [ifThere ?? []].flat()
}

type Output = 'pipe' | 'inherit' | 'ignore'

async function execute(
  command: Command,
  learned: ReadonlyMap<string, string>,
  output: Output,
): Promise<{ code: number | null; said: string }> {
  const [program = '', ...args] = wordsOf(command).map((word) =>
    command.program === 'npm'
      ? word
      : word.replaceAll(LEARNED, (_, name: string) => learned.get(name) ?? ''),
  )
  const errors = output === 'ignore' ? 'ignore' : 'inherit'
  const env = { ...process.env, ...SETTINGS }
  const child = spawn(program, args, { stdio: ['ignore', output, errors], env })
  const said = child.stdout === null ? Promise.resolve('') : text(child.stdout)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said: await said }
}
