/** A reader who follows a page: a folder like a fresh checkout, commands and queries in it. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { formatInstant } from '../../pipeline/base/clock.ts'
import { duckdbWarehouse } from '../../pipeline/duckdb/warehouse.ts'
import type { startCommands } from '../support/commands.ts'

const CHECKOUT = ['definitions', 'node_modules', 'package.json', 'pipeline', 'scripts', 'sql']
/** A number from here on is an instant. */
const INSTANTS = 1_000_000_000_000_000

/** Makes a folder that looks like a checkout. */
export function makeCheckout(): string {
  const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
  for (const name of CHECKOUT) symlinkSync(resolve(name), join(dir, name))
  return dir
}

export const removeCheckout = (dir: string) => rmSync(dir, { recursive: true })

/** Writes a file of the reader's own folder. */
export function writeFile(dir: string, path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

/** Runs a line of a shell: `npm` commands in the shared process, the rest in a shell. The packages
 * are installed already. */
export async function runLine(
  dir: string,
  line: string,
  run: ReturnType<typeof startCommands>,
): Promise<string> {
  let printed = ''
  for (const part of line.split(' && ')) {
    const stages = part.split(' | ')
    const last = stages.at(-1) ?? ''
    if (last.trim() === 'npm ci') continue
    const npm = /^npm (?:run )?([a-z:-]+)(?: -- ([^]*))?$/.exec(last.trim())
    const before = npm === null ? part : stages.slice(0, -1).join(' | ')
    const input = before === '' ? '' : shell(dir, before)
    if (npm === null) printed += input
    else {
      const [, script = '', args = ''] = npm
      const ended = await run(script.replace(':', '-'), args === '' ? [] : words(dir, args), input)
      printed += [ended.stdout, ended.stderr].filter((text) => text !== '').join('\n')
      if (ended.status !== 0) return printed
    }
    if (printed !== '' && !printed.endsWith('\n')) printed += '\n'
  }
  return printed
}

const shell = (dir: string, text: string) =>
  execFileSync('sh', ['-c', text], { cwd: dir, encoding: 'utf8' })

const words = (dir: string, args: string) =>
  shell(dir, `printf '%s\\0' ${args}`).split('\0').slice(0, -1)

/** Runs a query in a warehouse of the folder; the rows are aligned, under their columns. */
export async function ask(dir: string, file: string, sql: string): Promise<string> {
  const warehouse = duckdbWarehouse(join(dir, file))
  await warehouse.open()
  try {
    const rows = await warehouse.query(sql)
    const head = Object.keys(rows[0] ?? {})
    const cells = rows.map((row) => Object.values(row).map(textOf))
    const widths = head.map((name, i) => Math.max(name.length, ...cells.map((c) => c[i]!.length)))
    const isNumber = head.map((name) => rows.every((row) => isAmount(row[name])))
    const lines = [head, ...cells].map((line) =>
      line
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    return `${lines.join('\n')}\n`
  } finally {
    await warehouse.close()
  }
}

const isAmount = (value: unknown) =>
  value === null || (typeof value === 'number' && value < INSTANTS)

const textOf = (value: unknown) =>
  typeof value === 'number' && value >= INSTANTS
    ? formatInstant(value).slice(0, 16).replace('T', ' ')
    : String(value)
