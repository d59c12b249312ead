/** The worker in its own process, which is stopped by signals. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type Said = { severity: string; message: string; [field: string]: unknown }

export class WorkerProcess {
  readonly process: ChildProcess
  /** Everything logged so far. */
  readonly said: Said[] = []
  #complaints = ''
  readonly #exit: Promise<unknown[]>
  #onLine: () => void = () => undefined

  constructor(args: string[], env: { [name: string]: string }) {
    const program = ['--import', 'tsx', 'scripts/start.ts', ...args]
    const child = spawn(process.execPath, program, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.process = child
    this.#exit = once(child, 'close')
    child.stderr.on('data', (data: Buffer) => (this.#complaints += data.toString()))
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.said.push(JSON.parse(line) as Said)
      this.#onLine()
    })
  }

  /** Resolves when the wanted line was logged, or the process has ended. */
  async until(isWanted: (said: Said) => boolean): Promise<boolean> {
    const ended = this.#exit.then(() => 'ended')
    for (;;) {
      if (this.said.some(isWanted)) return true
      const line = new Promise((resolve) => (this.#onLine = () => resolve('line')))
      if ((await Promise.race([line, ended])) === 'ended') return this.said.some(isWanted)
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  async end(): Promise<{ code: number | null; complaints: string }> {
    const [code] = await this.#exit
    return { code: code as number | null, complaints: this.#complaints.trim() }
  }
}

/** Returns whether the worker has processed so many rows since its start. */
export function hasDone(rows: number): (said: Said) => boolean {
  return ({ landed = 0, refused = 0 }) => Number(landed) + Number(refused) >= rows
}
