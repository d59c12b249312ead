/**
 * `npm run bench [-- --events N]`: measures speed, each figure beside a peer measured in the same
 * run. `npm run bench -- --views duckdb:PATH` queries every analysis view of a warehouse instead, and
 * `npm run bench -- --cloud` sends messages through the Pub/Sub emulator into each warehouse. It is
 * not a test: machines differ, so compare the ratios.
 */

import { mkdtempSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeRates } from './decode.ts'
import { foldRates } from './fold.ts'
import { coldBatches } from './cold.ts'
import { flatTimes } from './flat.ts'
import { keyCosts } from './keys.ts'
import { naiveMs, parseUsage } from './naive.ts'
import { runProgram, type Usage } from './program.ts'
import { refreshMs } from './refresh.ts'
import { viewCosts } from './views.ts'
import { command } from '../cli/command.ts'
import { withTemporary } from '../cli/temporary.ts'

const BATCH = 2_000
/** Batch size of the run that is compared with a bulk load. */
const MICRO_BATCH = 20_000
const SHORTEST_HISTORY = 10_000

const grouped = (value: number) => Math.round(value).toLocaleString('en-US')
const say = (line: string) => process.stdout.write(`${line}\n`)

type Options = {
  events: string
  history: string
  messages: string
  views?: string
  cloud?: true
  keys?: string
}

export const program = command('npm run bench', 'Measures speed beside peers.')
  .option('--events <count>', 'number of events to load', '1000000')
  .option(
    '--history <count>',
    'number of events of the longest history that a batch is measured after',
    '1000000',
  )
  .option('--views <warehouse>', 'only measure the analysis views of this warehouse')
  .option('--keys <count>', 'only measure a late event of one key with so many events')
  .option('--cloud', 'only measure messages a second through the emulators')
  .option('--messages <count>', 'number of messages for --cloud', '10000')
  .action(async (options: Options) => {
    if (options.views !== undefined) return views(options.views)
    if (options.cloud === true) return cloud(Number(options.messages))
    const dir = mkdtempSync(join(tmpdir(), 'desire-path-bench-'))
    await withTemporary(dir, async () => {
      if (options.keys !== undefined) return keys(dir, Number(options.keys))
      await endToEnd(dir, Number(options.events))
      await decode()
      fold()
      const histories = historiesUpTo(Number(options.history))
      await cold(dir, histories)
      await flat(dir, histories)
    })
  })

async function views(url: string): Promise<void> {
  const { moves, costs } = await viewCosts(url)
  say(`analysis views over ${grouped(moves)} transitions`)
  say(`  ${'view'.padEnd(26)}${'rows'.padStart(9)}${'ms'.padStart(8)}${'cpu ms'.padStart(8)}`)
  for (const { view, rows, ms, cpuMs } of costs) {
    const figures = [grouped(rows).padStart(9), grouped(ms).padStart(8), grouped(cpuMs).padStart(8)]
    say(`  ${view.padEnd(26)}${figures.join('')}`)
  }
}

async function cloud(messages: number): Promise<void> {
  const { cloudRates } = await import('./cloud.ts')
  say(`${grouped(messages)} messages of one event; load average ${loadavg()[0]?.toFixed(1)}`)
  for await (const { what, perSecond } of cloudRates(messages)) {
    say(`  ${what.padEnd(32)} ${grouped(perSecond).padStart(12)} messages/s`)
  }
}

async function keys(dir: string, events: number): Promise<void> {
  say('a late event in the middle of the history of one key, in a running process')
  for await (const { what, events: count, ms, cpuMs } of keyCosts(dir, events)) {
    const figures = `${grouped(ms).padStart(8)} ms ${grouped(cpuMs).padStart(8)} ms of CPU`
    say(`  ${what.padEnd(36)} ${grouped(count).padStart(10)} events${figures}`)
  }
}

async function endToEnd(dir: string, events: number): Promise<void> {
  const file = join(dir, 'events.ndjson')
  const usageFile = join(dir, 'usage.json')
  const made = ['--events', String(events), '--seed', '3', '--out', file]
  await runProgram('scripts/generate.ts', made, usageFile)
  const bytes = statSync(file).size
  const rate = (ms: number) => (events * 1_000) / ms
  const run = (script: string, ...args: string[]) => runProgram(script, args, usageFile)
  const bulk = join(dir, 'bulk.duckdb')
  const batches = join(dir, 'batches.duckdb')
  const loading = await run('scripts/start.ts', '--warehouse', `duckdb:${bulk}`, file)
  const batching = await run(
    'scripts/start.ts',
    '--batch-size',
    String(MICRO_BATCH),
    '--warehouse',
    `duckdb:${batches}`,
    file,
  )
  const replaying = await run('scripts/replay.ts', '--all', '--warehouse', `duckdb:${bulk}`)
  const parse = parseUsage(file)
  const refreshing = rate(await refreshMs(file, join(dir, 'refresh.duckdb')))
  const naive = rate(naiveMs(file, join(dir, 'naive.ndjson')))
  const parsing = rate(parse.wallMs)
  const row = (what: string, wallMs: number, usage?: Usage, database?: string) => {
    const figures = [
      grouped(rate(wallMs)).padStart(10),
      (rate(wallMs) / parsing).toFixed(3).padStart(9),
      (usage === undefined ? '' : ratio(usage.cpuMs, parse.cpuMs)).padStart(7),
      (usage === undefined ? '' : grouped(usage.peakBytes / 1e6)).padStart(9),
      (database === undefined ? '' : ratio(statSync(database).size, bytes)).padStart(7),
    ]
    say(`  ${what.padEnd(32)}${figures.join('')}`)
  }
  say(`end to end, ${grouped(events)} events of ${grouped(bytes / events)} bytes`)
  say(`  ${''.padEnd(32)}  events/s  ÷ parse    CPU  peak MB   disk`)
  row('bulk load', loading.wallMs, loading, bulk)
  row(`micro-batches of ${grouped(MICRO_BATCH)}`, batching.wallMs, batching, batches)
  row('replay --all', replaying.wallMs, replaying)
  row('SQL full refresh (does less)', (events * 1_000) / refreshing)
  row('naive script in memory', (events * 1_000) / naive)
  row('bare JSON.parse of the lines', parse.wallMs)
  say('  CPU of all threads ÷ that of JSON.parse; bytes on disk ÷ those of the NDJSON')
  say(`  bulk load ÷ SQL full refresh     ${(rate(loading.wallMs) / refreshing).toFixed(2)}`)
  say(`  replay --all ÷ bulk load         ${ratio(loading.wallMs, replaying.wallMs)}`)
  say(`  the same by CPU                  ${ratio(loading.cpuMs, replaying.cpuMs)}`)
}

const ratio = (a: number, b: number) => (a / b).toFixed(2)

/** Returns 10,000 events, ten times as many, and so on up to the longest history. */
function historiesUpTo(longest: number): number[] {
  const histories: number[] = []
  for (let events = SHORTEST_HISTORY; events < longest; events *= 10) histories.push(events)
  return [...histories, longest]
}

async function cold(dir: string, histories: readonly number[]): Promise<void> {
  const usages = await coldBatches(dir, BATCH, histories)
  say(`a process that loads ${grouped(BATCH)} events, from start to exit`)
  usages.forEach(({ wallMs, cpuMs }, i) => {
    const figures = `${grouped(wallMs).padStart(12)} ms ${grouped(cpuMs).padStart(8)} ms of CPU`
    say(`  after ${grouped(histories[i] as number).padStart(10)} events          ${figures}`)
  })
  const [first, last] = [usages[0], usages.at(-1)]
  if (first === undefined || last === undefined) return
  say(`  last ÷ first                     ${ratio(last.wallMs, first.wallMs).padStart(12)}`)
  say(`  the same by CPU                  ${ratio(last.cpuMs, first.cpuMs).padStart(12)}`)
}

async function decode(): Promise<void> {
  const [ours, parse] = await decodeRates()
  say('decode alone, one thread')
  say(`  decode                           ${grouped(ours).padStart(12)} events/s`)
  say(`  JSON.parse                       ${grouped(parse).padStart(12)} lines/s`)
  say(`  decode ÷ JSON.parse              ${(ours / parse).toFixed(2).padStart(12)}`)
}

function fold(): void {
  const [ours, peers] = foldRates(60_000, 2_000)
  say('fold alone, 50 events a profile')
  say(`  fold                             ${grouped(ours).padStart(12)} events/s`)
  say(`  XState 5 transition              ${grouped(peers).padStart(12)} events/s`)
  say(`  ratio                            ${grouped(ours / peers).padStart(12)}`)
}

/** Prints the time of a batch after histories of increasing length. */
async function flat(dir: string, histories: readonly number[]): Promise<void> {
  const { medians, parts } = await flatTimes(dir, BATCH, histories)
  say(`a batch of ${grouped(BATCH)} events in a running process, median`)
  medians.forEach((ms, i) => {
    const figure = `${grouped(ms).padStart(12)} ms`
    say(`  after ${grouped(histories[i] as number).padStart(10)} events          ${figure}`)
  })
  say(
    `  last ÷ first                     ${ratio(medians.at(-1) ?? 0, medians[0] ?? 0).padStart(12)}`,
  )
  if (parts === null) return
  say(`  rate of the last 500,000 events ÷ first ${ratio(parts[0], parts[1]).padStart(5)}`)
}
