/**
 * `npm run replay -- --journey checkout [--version 4]`: builds a version from the stored events
 * beside the live one, where nobody sees it until it is promoted. No effect is published.
 *
 * Exit 0: built, or nothing to build; 1: failed; 2: wrong arguments.
 */

import { UserError } from '../pipeline/errors.ts'
import { isSame, nameOf } from '../pipeline/releases.ts'
import { main } from './command.ts'
import { grouped } from './funnel-lines.ts'
import { build, inWarehouse, releaseCommand, releaseOf, say, versionOf } from './releasing.ts'
import type { Shared } from './releasing.ts'

type Options = Shared & {
  journey?: string
  funnel?: string
  version?: string
  yes?: boolean
  why?: string
}

const program = releaseCommand('npm run replay', 'Builds a version beside the live one.')
  .option('--journey <id>', 'the journey to build')
  .option('--funnel <id>', 'or the funnel')
  .option('--version <number>', 'its version (default: the one in the definitions)')
  .option('--yes', 'change what readers see, when it is the live version and differs')
  .option('--why <reason>', 'for the record', 'replay')
  .action(replay)

async function replay(options: Options): Promise<void> {
  const kind = options.journey === undefined ? 'funnel' : 'journey'
  const id = options.journey ?? options.funnel
  if (id === undefined || (options.journey !== undefined && options.funnel !== undefined)) {
    throw new UserError('name what to build: --journey ID, or --funnel ID', 2)
  }
  const version = options.version === undefined ? undefined : versionOf(options.version)
  await inWarehouse(options, async (scene) => {
    const release = releaseOf(scene, kind, id, version)
    const rebuilt = await build(scene, {
      release,
      action: 'replayed',
      reason: options.why ?? 'replay',
      mayChangeLive: options.yes === true,
    })
    if (options.json === true) {
      say([JSON.stringify({ kind, id, version: release.version, ...rebuilt })])
      return
    }
    const { events, inserted, superseded, isDone, elapsedMs } = rebuilt
    const isLive = scene.log.live().some((one) => isSame(one, release))
    const seconds = Math.max(elapsedMs / 1_000, 0.001)
    const changes = `${grouped(inserted)} rows new, ${grouped(superseded)} superseded`
    say([
      `${nameOf(release)}: ${grouped(events)} events replayed in ${seconds.toFixed(1)} s ` +
        `(${grouped(Math.round(events / seconds))}/s)`,
      isDone
        ? `  ${changes}`
        : inserted + superseded === 0
          ? '  it is live, and its rows are what they should be'
          : `  it is live, and would change: ${changes}; add --yes to do it`,
      ...(isLive
        ? []
        : [`  nobody sees it yet: npm run release -- promote ${id} ${release.version}`]),
    ])
  })
}

await main(program)
