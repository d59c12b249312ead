/** The packaged functions as deployed: Functions Framework, started in the package's folder. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { freePort } from '../../scripts/emulators/free-port.ts'

const FRAMEWORK = 'node_modules/@google-cloud/functions-framework/build/src/main.js'
const HOST = '127.0.0.1'
const STARTED = 'Serving function'

type Manifest = { dependencies: { [name: string]: string } }

/** Builds the package into a folder, and links only the libraries it declares. */
export function packageInto(out: string): Manifest {
  const args = ['--import', 'tsx', 'scripts/package.ts', '--out', out]
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const manifest = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8')) as Manifest
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(out, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve('node_modules', name), link)
  }
  return manifest
}

export class FunctionsProcess {
  readonly url: string
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#process = child
    this.url = url
  }

  static async start(dir: string, target: string, env: { [name: string]: string }) {
    const port = await freePort()
    const args = [FRAMEWORK, `--target=${target}`, `--port=${port}`]
    const settings = { ...process.env, NODE_OPTIONS: '', ...env }
    const child = spawn(process.execPath, args, { cwd: dir, env: settings, stdio: 'pipe' })
    let said = ''
    await new Promise<void>((resolveStart, reject) => {
      const hear = (data: Buffer) => {
        said += data.toString()
        if (said.includes(STARTED)) resolveStart()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`the framework ended: ${said}`)))
    })
    return new FunctionsProcess(child, `http://${HOST}:${port}`)
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}
