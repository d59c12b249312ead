/**
 * `npm run deploy -- --project P --dataset D --region R`: prints a shell script that deploys the
 * pipeline to a Google Cloud project, and runs it with `--yes`. `--remove` removes the deployment.
 *
 * Before anything is changed, the help of the installed programs is searched for every flag.
 */

import { DEFINITIONS_DEFAULT } from '../../pipeline/config.ts'
import { definitionsIn } from '../cli/definitions.ts'
import { UserError } from '../../pipeline/base/errors.ts'
import { command } from '../cli/command.ts'
import { note, say } from '../cli/output.ts'
import { carryOut } from './carry-out.ts'
import { checkFlags } from './flags.ts'
import { planOf } from './plan.ts'
import { removalOf } from './removal.ts'
import { LANDINGS, siteOf } from './site.ts'
import { scriptOf, type Step } from './step.ts'
import { carryOutLine } from '../cli/next-command.ts'

type Options = {
  project: string
  dataset: string
  region: string
  landing: string
  every: string
  definitions: string
  remove?: true
  json?: true
  yes?: true
}

async function stepsOf(options: Options): Promise<Step[]> {
  const site = siteOf(options)
  if (options.remove !== undefined) return removalOf(site)
  const { identity } = await definitionsIn(options.definitions)
  const isHashed = identity.hashed.length > 0
  if (isHashed && site.landing === 'subscription') {
    throw new UserError(
      `--landing subscription stores messages unchanged, with plain values of ` +
        `${identity.hashed.join(', ')}, which identity.ts hashes: use --landing function`,
      2,
    )
  }
  return planOf({ ...site, definitionsDir: options.definitions, isHashed })
}

/** Prints whether the installed programs can run the plan. Throws if they cannot: for a plan that is
 * only printed, missing programs are only noted. */
async function check(steps: readonly Step[], isRun: boolean): Promise<void> {
  const { missing, unknown, commands } = await checkFlags(steps)
  const verdict =
    missing.length > 0
      ? `not installed: ${missing.join(', ')}; they come with the Google Cloud CLI`
      : unknown.length > 0
        ? `the installed Google Cloud CLI does not know ${unknown.join(', ')}; to update it: gcloud components update`
        : null
  if (verdict !== null && (isRun || missing.length === 0)) throw new UserError(verdict)
  const looked = `the installed Google Cloud CLI knows all ${commands} commands and their flags`
  note(verdict ?? looked)
}

export const program = command('npm run deploy', 'Deploys the pipeline to a Google Cloud project.')
  .requiredOption('--project <id>', 'Google Cloud project')
  .requiredOption('--dataset <name>', 'dataset of the tables; all resources are named after it')
  .requiredOption('--region <region>', 'region of all resources, for example europe-west1')
  .option('--landing <kind>', `how events arrive: ${LANDINGS.join(' or ')}`, LANDINGS[0])
  .option('--every <minutes>', 'minutes between two micro-batches', '5')
  .option('--definitions <dir>', 'folder of definitions to deploy', DEFINITIONS_DEFAULT)
  .option('--remove', 'remove all resources except the dataset')
  .option('--json', 'print the plan as JSON')
  .option('--yes', 'do it (default: print the plan)')
  .action(async (options: Options) => {
    const { json, yes } = options
    if (json && yes) throw new UserError('--json prints the plan only: leave out --yes', 2)
    const steps = await stepsOf(options)
    if (yes) {
      await check(steps, true)
      await carryOut(steps, (line) => say([line]))
      return
    }
    process.stdout.write(json ? `${JSON.stringify(steps, null, 2)}\n` : scriptOf(steps))
    if (json) return
    await check(steps, false)
    note(carryOutLine('deploy'))
  })
