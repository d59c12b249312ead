/**
 * `npm run replay -- --journey checkout [--version 4]`: builds a version from the stored events
 * beside the live one. It is not visible until it is promoted. With `--from` and `--to`, only
 * profiles with an event in that time are built, each from its whole history, for example after a
 * backfill or as a trial. `--all` derives all live versions again under the identity and sessions of
 * the definitions. No effects are published.
 *
 * Exit 0: built, or nothing to build; 1: failed; 2: wrong arguments.
 */

import { instantOf } from '../../pipeline/config.ts'
import type { Release } from '../../pipeline/definition/load.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { isSame, nameOf, nextInForce } from '../../pipeline/warehouse/release-log.ts'
import type { EventWindow } from '../../pipeline/warehouse/warehouse.ts'
import { counted } from '../../pipeline/base/text.ts'
import { DEFINITIONS_HELP } from '../cli/definitions-folder.ts'
import { grouped } from '../cli/funnel-lines.ts'
import { lineAgain, nextLine } from '../cli/next-command.ts'
import { say } from '../cli/output.ts'
import {
  build,
  withFolder,
  parallelOf,
  releaseCommand,
  releaseOf,
  THREADS,
  versionOf,
  type Built,
  type Scene,
  type Shared,
} from '../cli/releasing.ts'

type Options = Shared & {
  definitions?: string
  journey?: string
  funnel?: string
  all?: boolean
  version?: string
  from?: string
  to?: string
  parallel?: string
  yes?: boolean
  why: string
}

export const program = releaseCommand(
  'npm run replay',
  'Derives a version again from the stored events.',
)
  .option('--definitions <dir>', DEFINITIONS_HELP)
  .option('--journey <id>', 'journey to build')
  .option('--funnel <id>', 'funnel to build')
  .option('--all', 'build all live versions with the identity and sessions of the folder')
  .option('--version <number>', 'version to build (default: the one in the definitions)')
  .option('--from <instant>', 'only profiles with an event at or after this instant')
  .option('--to <instant>', 'only profiles with an event before this instant')
  .option('--parallel <number>', THREADS)
  .option('--yes', 'change live versions (default: print the plan)')
  .option('--why <reason>', 'reason, recorded in releases', 'replay')
  .action(replay)

async function replay(options: Options): Promise<void> {
  const named = [options.journey, options.funnel].filter((id) => id !== undefined)
  if (named.length + Number(options.all === true) !== 1) {
    throw new UserError(
      'nothing to build is given: use one of --journey ID, --funnel ID or --all',
      2,
    )
  }
  const version = options.version === undefined ? undefined : versionOf(options.version)
  const within = windowOf(options)
  const parallel = parallelOf(options.parallel)
  const kind = options.journey === undefined ? 'funnel' : 'journey'
  const isAll = options.all === true
  await withFolder(
    options,
    async (scene) => {
      const release = isAll ? null : releaseOf(scene, kind, named[0] as string, version)
      const built = await build(scene, {
        release,
        action: 'replayed',
        reason: options.why,
        mayChangeLive: options.yes === true,
        within,
        spread: { parallel },
      })
      if (options.json === true) {
        const { kind: of, id, version: which } = release ?? { kind: 'everything' }
        say([JSON.stringify({ kind: of, id, version: which, ...built })])
      } else {
        say([speedLine(release, scene, built), ...endLines(release, scene, built, within)])
      }
    },
    isAll,
  )
}

function windowOf({ from, to }: Options): EventWindow | null {
  if (from === undefined && to === undefined) return null
  const within = {
    from: from === undefined ? null : instantOf('--from', from),
    to: to === undefined ? null : instantOf('--to', to),
  }
  if (within.from !== null && within.to !== null && within.from >= within.to) {
    throw new UserError(`--from ${from} is not before --to ${to}`, 2)
  }
  return within
}

function speedLine(release: Release | null, scene: Scene, built: Built): string {
  const seconds = Math.max(built.elapsedMs / 1_000, 0.001)
  const rate = grouped(Math.round(built.events / seconds))
  const what =
    release === null
      ? `everything under ${nextInForce(scene.running.definitions, scene.log)
          .map(({ id, version }) => `${id} ${version}`)
          .join(', ')}`
      : nameOf(release)
  return `${what}: ${counted(built.events, 'event')} replayed in ${seconds.toFixed(1)} s (${rate}/s)`
}

function endLines(
  release: Release | null,
  { log }: Scene,
  { inserted, superseded, isNeeded, isDone }: Built,
  within: EventWindow | null,
): string[] {
  const changes = `${counted(inserted, 'row')} new, ${grouped(superseded)} superseded`
  const isLive = release === null || log.live().some((one) => isSame(one, release))
  if (isLive && isDone) return [`  ${changes}`]
  if (isLive) {
    return !isNeeded
      ? ['  this version is live and its rows are correct']
      : [`  would change live rows: ${changes}; to do it: ${lineAgain('replay', '--yes')}`]
  }
  const part = within === null ? '' : '; other profiles are unchanged'
  const { id, version } = release
  return [
    `  ${changes}${part}`,
    `  not live yet; to make it live: ${nextLine('release', 'promote', id, String(version))}`,
  ]
}
