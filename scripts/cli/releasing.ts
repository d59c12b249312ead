/** Shared by replay and release: finds a version and builds it. */

import { userInfo } from 'node:os'
import { defaultThreads } from '../../pipeline/bulk/part-pool.ts'
import { elapsedMs } from '../../pipeline/base/clock.ts'
import { scratchOf, warehouseOf, warehouseToRead } from '../../pipeline/config.ts'
import { loadDefinitions, type Definitions, type Release } from '../../pipeline/definition/load.ts'
import { didYouMean } from '../../pipeline/definition/check/near-name.ts'
import { REBUILDING } from '../../pipeline/duckdb/resource-limits.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import {
  releaseVersion,
  type ReleaseRequest,
  type ReleaseResult,
} from '../../pipeline/operations/release-version.ts'
import {
  isSame,
  ReleaseLog,
  runningOf,
  type Running,
} from '../../pipeline/warehouse/release-log.ts'
import type { Warehouse } from '../../pipeline/warehouse/warehouse.ts'
import { definitionsOnRecord, emptyError } from '../../pipeline/query/as-of.ts'
import { warehouseCommand } from './command.ts'
import { definitionsIn } from './definitions.ts'
import { folderOf, remember } from './definitions-folder.ts'
import { startProgress } from './progress.ts'

export type Shared = { warehouse: string; json?: boolean }

/** Returns a command about the releases of a warehouse. */
export function releaseCommand(name: string, description: string) {
  return warehouseCommand(name, description).option('--json', 'one JSON object')
}

/** Open warehouse with events, its release log, and the definitions to build from: those of the
 * folder for a replay, otherwise those on record. */
export type Scene = {
  warehouse: Warehouse
  defined: Definitions
  log: ReleaseLog
  running: Running
}

type Work = (scene: Scene) => Promise<void>

/** Opens the warehouse for `work` under the definitions on record, and closes it. */
export function inWarehouse(options: Shared, work: Work): Promise<void> {
  return onRecord(warehouseOf(options.warehouse, REBUILDING), work)
}

/** Like `inWarehouse`, for work that only reads. */
export function readingWarehouse(options: Shared, work: Work): Promise<void> {
  return onRecord(warehouseToRead(options.warehouse), work)
}

function onRecord(warehouse: Warehouse, work: Work): Promise<void> {
  return withEvents(warehouse, async (log) => {
    const defined = await definitionsOnRecord(warehouse)
    const running = { definitions: defined, unreleased: [], waiting: [] }
    await work({ warehouse, defined, log, running })
  })
}

/** Like `inWarehouse`, under the definitions of the folder. `isReplayed`: see `runningOf`. */
export function withFolder(
  options: Shared & { definitions?: string },
  work: Work,
  isReplayed: boolean,
): Promise<void> {
  const warehouse = warehouseOf(options.warehouse, REBUILDING)
  return withEvents(warehouse, async (log) => {
    const folder = await folderOf(warehouse, options.definitions)
    const defined = await definitionsIn(folder)
    const running = runningOf(defined, log, isReplayed)
    await remember(warehouse, folder)
    await work({ warehouse, defined, log, running })
  })
}

async function withEvents(
  warehouse: Warehouse,
  work: (log: ReleaseLog) => Promise<void>,
): Promise<void> {
  try {
    const { batch } = await warehouse.open()
    if (batch === 0) throw emptyError(warehouse)
    await work(await ReleaseLog.read(warehouse))
  } finally {
    await warehouse.close()
  }
}

export function versionOf(text: string): number {
  const version = /^\d+$/.test(text) ? Number(text) : 0
  if (version >= 1 && Number.isSafeInteger(version)) return version
  throw new UserError(`version ${JSON.stringify(text)} is not valid: use a whole number from 1`, 2)
}

/** Help of `--parallel`. */
export const THREADS = 'number of threads (default: one for each core, up to 4)'
const THREADS_MAX = 64

export function parallelOf(text: string | undefined): number {
  if (text === undefined) return defaultThreads()
  const threads = /^\d+$/.test(text) ? Number(text) : 0
  if (threads >= 1 && threads <= THREADS_MAX) return threads
  const want = `a whole number from 1 to ${THREADS_MAX}`
  throw new UserError(`--parallel ${JSON.stringify(text)} is not valid: use ${want}`, 2)
}

/** Returns whether `id` is a journey or a funnel. Throws a `UserError` if it is neither. */
export function kindOf({ defined, log }: Scene, id: string): string {
  const known = [...log.entries, ...defined.releases]
  const kind = ['journey', 'funnel'].find((one) =>
    known.some((release) => release.kind === one && release.id === id),
  )
  if (kind !== undefined) return kind
  const ids = [...new Set(known.filter((one) => one.kind === 'journey').map((one) => one.id))]
  throw new UserError(
    `${id} is neither a journey nor a funnel; ${didYouMean(id, ids)}the journeys are: ` +
      (ids.join(', ') || 'none'),
  )
}

/** Returns a version from the definitions or else from the record; without `version`, the one in the
 * definitions. */
export function releaseOf(
  { defined, log }: Scene,
  kind: string,
  id: string,
  version?: number,
): Release {
  const inDefinitions = defined.releases.find((one) => one.kind === kind && one.id === id)
  const found =
    version === undefined || inDefinitions?.version === version
      ? inDefinitions
      : log.registered(kind, id, version)
  if (found !== undefined) return found
  if (version === undefined) throw new UserError(`${kind} ${id} is not in the definitions`)
  throw new UserError(
    `${kind} ${id} ${version} does not exist; its versions are: ` +
      `${versionsOf({ defined, log }, kind, id)}; to list them`,
    1,
    { script: 'release', args: ['status'] },
  )
}

/** Returns a version on record. If the folder alone has it, the error has the line to build it. */
export async function recordedRelease(scene: Scene, id: string, version: number): Promise<Release> {
  const kind = kindOf(scene, id)
  if (scene.log.registered(kind, id, version) === undefined) {
    const folder = await folderOf(scene.warehouse, undefined)
      .then(loadDefinitions)
      .catch(() => null)
    if (folder?.releases.some((one) => isSame(one, { kind, id, version })) === true) {
      throw new UserError(`${kind} ${id} ${version} is not built yet; to build it`, 1, {
        script: 'replay',
        args: [`--${kind}`, id],
      })
    }
  }
  return releaseOf(scene, kind, id, version)
}

/** Returns the versions on record and in the definitions as text. */
function versionsOf({ defined, log }: Pick<Scene, 'defined' | 'log'>, kind: string, id: string) {
  const known = [...log.entries, ...defined.releases].filter(
    (one) => one.kind === kind && one.id === id,
  )
  return [...new Set(known.map((one) => one.version))].sort((a, b) => a - b).join(', ')
}

export type Built = ReleaseResult & { elapsedMs: number }

/** Builds a version, with the progress of each step on standard error. */
export async function build(
  { warehouse, running }: Scene,
  parts: Pick<
    ReleaseRequest,
    'release' | 'action' | 'reason' | 'mayChangeLive' | 'within' | 'spread'
  >,
): Promise<Built> {
  const startedAt = elapsedMs()
  const progress = startProgress(process.stderr.isTTY === true)
  let step = { name: '', startedAt }
  let reportedAt = startedAt
  try {
    const rebuilt = await releaseVersion({
      ...parts,
      warehouse,
      scratch: scratchOf(warehouse),
      definitions: running.definitions,
      by: userInfo().username,
      onBatch: (done, total, name) => {
        if (name !== step.name) {
          progress.stop()
          step = { name, startedAt: reportedAt }
        }
        reportedAt = elapsedMs()
        const report = { read: done, elapsedMs: reportedAt - step.startedAt }
        progress.update(report, { progress: { done, total } })
      },
    })
    return { ...rebuilt, elapsedMs: elapsedMs() - startedAt }
  } finally {
    progress.stop()
  }
}
