/**
 * `npm run release -- status|diff|promote|rollback`: lists and compares versions, and selects the
 * live one. Without `--yes`, promotion and rollback print the plan and change nothing.
 *
 * Exit 0: done; 1: failed; 2: wrong arguments.
 */

import type { Release } from '../../pipeline/definition/load.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { versionStatuses } from '../../pipeline/query/release-status.ts'
import { releaseDiff } from '../../pipeline/query/release-diff.ts'
import { isSame, nameOf } from '../../pipeline/warehouse/release-log.ts'
import { command } from '../cli/command.ts'
import { counted } from '../../pipeline/base/text.ts'
import { grouped } from '../cli/funnel-lines.ts'
import { carryOutLine, nextLine } from '../cli/next-command.ts'
import { say, sayJson } from '../cli/output.ts'
import { diffLines } from '../cli/release-diff.ts'
import {
  build,
  inWarehouse,
  readingWarehouse,
  kindOf,
  parallelOf,
  recordedRelease,
  releaseCommand,
  THREADS,
  versionOf,
  type Scene,
  type Shared,
} from '../cli/releasing.ts'

type Move = Shared & { yes?: boolean; why?: string; parallel?: string }

const status = releaseCommand('status', 'Lists versions and how far each is behind.').action(
  (options: Shared) =>
    readingWarehouse(options, async ({ warehouse }) => {
      const statuses = await versionStatuses(warehouse)
      if (options.json === true) {
        sayJson({ versions: statuses })
        return
      }
      say(
        statuses.map((one) => {
          const rows = one.kind === 'journey' ? counted(one.transitions, 'transition') : ''
          const built = one.isPartial ? 'built in part' : 'built'
          const state = one.isLive ? 'live' : `${built}, ${behindOf(one)}`
          return `${nameOf(one).padEnd(28)}${state.padEnd(36)}${rows}`.trimEnd()
        }),
      )
    }),
)

const behindOf = ({ behind }: { behind: number }) => `${counted(behind, 'batch', 'batches')} behind`

const diff = releaseCommand('diff', 'Compares two versions of a journey.')
  .argument('<journey>', 'id of the journey')
  .argument('<from>', 'first version')
  .argument('<to>', 'second version')
  .action((id: string, from: string, to: string, options: Shared) =>
    readingWarehouse(options, async ({ warehouse }) => {
      const [before, after] = [versionOf(from), versionOf(to)]
      const statuses = await versionStatuses(warehouse)
      const notes = [before, after].flatMap((version) => {
        const one = statuses.find((built) => isSame(built, { kind: 'journey', id, version }))
        const replay = nextLine('replay', '--journey', id, '--version', String(version))
        if (one === undefined) {
          throw new UserError(`journey ${id} ${version} is not built; to build it: ${replay}`)
        }
        if (one.isPartial) return [`  ${version} is built for some profiles only: ${replay}`]
        return one.behind === 0 ? [] : [`  ${version} is ${behindOf(one)}: ${replay}`]
      })
      const found = await releaseDiff(warehouse, id, before, after)
      if (options.json === true) sayJson(found)
      else say([...diffLines(found, id, before, after), ...notes])
    }),
  )

const promote = releaseCommand('promote', 'Makes a version live.')
  .argument('<id>', 'id of a journey or a funnel')
  .argument('<version>', 'version to make live')
  .option('--parallel <number>', THREADS)
  .option('--yes', 'do it (default: print the plan)')
  .option('--why <reason>', 'reason, recorded in releases; required with --yes')
  .action((id: string, text: string, options: Move) => {
    const version = versionOf(text)
    return inWarehouse(options, async (scene) =>
      move(scene, await recordedRelease(scene, id, version), 'promoted', options),
    )
  })

const rollback = releaseCommand('rollback', 'Makes the previous version live.')
  .argument('<id>', 'id of a journey or a funnel')
  .option('--parallel <number>', THREADS)
  .option('--yes', 'do it (default: print the plan)')
  .option('--why <reason>', 'reason, recorded in releases; required with --yes')
  .action((id: string, options: Move) =>
    inWarehouse(options, (scene) => {
      const before = scene.log.promoted(kindOf(scene, id), id).at(-2)
      if (before === undefined) throw new UserError(`${id} has no earlier live version`)
      return move(scene, before, 'rolled_back', options)
    }),
  )

async function move(
  scene: Scene,
  { kind, id, version, hash, content }: Release,
  action: 'promoted' | 'rolled_back',
  options: Move,
): Promise<void> {
  const release = { kind, id, version, hash, content }
  const live = scene.log.promoted(kind, id).at(-1)
  if (live?.version === version) {
    throw new UserError(
      `${nameOf(release)} is already live: npm run release -- status prints the versions`,
    )
  }
  const verb = action === 'promoted' ? 'promote' : 'roll back to'
  const isLive = live === undefined ? 'none is live' : `live is ${live.version}`
  if (options.yes !== true) {
    const statuses = await versionStatuses(scene.warehouse)
    const built = statuses.find((one) => isSame(one, release))
    const shown = statuses.find((one) => live !== undefined && isSame(one, live))
    if (options.json === true) {
      sayJson({ plan: action, kind, id, version, live: live?.version ?? null, built })
      return
    }
    const isJourney = kind === 'journey' && built !== undefined
    say([
      `would ${verb} ${nameOf(release)}; ${isLive}`,
      built === undefined
        ? `  not built yet, and would be built first; to build it now: ${nextLine('replay', `--${kind}`, id)}`
        : `  built, ${behindOf(built)}`,
      ...(isJourney
        ? [
            `  readers would see ${counted(built.transitions, 'transition')} in place of ` +
              grouped(shown?.transitions ?? 0),
          ]
        : []),
      `  ${carryOutLine('release', ...(options.why === undefined ? ['--why', '…'] : []))}`,
    ])
    return
  }
  if (options.why === undefined || options.why.trim() === '') {
    throw new UserError('--yes needs --why "…": the reason is recorded', 2)
  }
  const spread = { parallel: parallelOf(options.parallel) }
  const reason = options.why
  const done = await build(scene, { release, action, reason, mayChangeLive: true, spread })
  if (options.json === true) {
    sayJson({ done: action, kind, id, version, ...done })
    return
  }
  say([
    `${nameOf(release)} is live (${isLive.replace('live is', 'before:')})`,
    `  caught up in ${(done.elapsedMs / 1_000).toFixed(1)} s: ` +
      `${counted(done.inserted, 'row')} new, ${grouped(done.superseded)} superseded`,
  ])
}

export const program = command('npm run release', 'Compares, promotes and rolls back versions.')
  .addCommand(status)
  .addCommand(diff)
  .addCommand(promote)
  .addCommand(rollback)
