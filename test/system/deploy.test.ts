/**
 * Deployment plan, printed and run with stand-ins for the cloud programs that record their calls:
 * order of the steps, repetition, failures and permissions.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { physicalTables } from '../../pipeline/bigquery/schema.ts'
import { planOf } from '../../scripts/deploy/plan.ts'
import { removalOf } from '../../scripts/deploy/removal.ts'
import { siteOf, type Landing, type Site } from '../../scripts/deploy/site.ts'
import { commandsOf, scriptOf, wordsOf } from '../../scripts/deploy/step.ts'
import { startCommands } from '../support/commands.ts'
import { startAnalyzer } from '../support/zetasql.ts'

const dir = mkdtempSync(join(tmpdir(), 'desire-path-'))
const run = startCommands()
const analyzer = await startAnalyzer([])
afterAll(async () => {
  await analyzer?.stop()
  rmSync(dir, { recursive: true })
})

function site(landing: Landing, more: Partial<Site> = {}): Site {
  const place = { project: 'my-project', dataset: 'journeys', region: 'europe-west1' }
  return { ...place, landing, minutes: 5, definitionsDir: 'definitions', isHashed: false, ...more }
}

const PLACE = ['--project', 'my-project', '--dataset', 'journeys', '--region', 'europe-west1']
const PROGRAMS = ['gcloud', 'bq', 'npm']

/** Machine with stand-ins for the cloud programs, and a project without resources. */
class Machine {
  readonly #state = mkdtempSync(join(dir, 'machine-'))
  readonly #bin = join(this.#state, 'bin')
  readonly #help = join(this.#state, 'help')
  readonly #path: string

  constructor(programs = PROGRAMS, withoutFlag = 'none') {
    mkdirSync(this.#bin)
    this.#path = programs.length === 0 ? this.#bin : `${this.#bin}:/usr/bin:/bin`
    for (const name of programs) symlinkSync(resolve('test/plans/cloud.sh'), join(this.#bin, name))
    const plans = [...planOf(site('subscription')), ...planOf(site('function'))]
    const steps = [...plans, ...removalOf(site('function'))]
    const flags = steps
      .flatMap(commandsOf)
      .flatMap(wordsOf)
      .map((word) => word.split('=')[0])
    const known = flags.filter((word) => word?.startsWith('--') && word !== withoutFlag)
    writeFileSync(this.#help, known.join('\n'))
  }

  #env(fails = 'nothing like it', code = 3) {
    const own = { PATH: this.#path, STATE: this.#state, HELP: this.#help }
    return { ...own, FAILS: fails, CODE: String(code) }
  }

  /** Makes a command that contains `fails` do nothing and exit with `code`. */
  deploy(args: string[], fails?: string, code?: number) {
    return run('deploy', [...PLACE, ...args], '', { env: this.#env(fails, code) })
  }

  /** The same in a process of its own, which shows what the programs print. */
  deployAlone(args: string[], fails: string) {
    return spawnSync(process.execPath, ['scripts/run.js', 'scripts/deploy.ts', ...PLACE, ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...this.#env(fails) },
    })
  }

  sh(script: string, fails?: string, code?: number) {
    const env = { ...process.env, ...this.#env(fails, code) }
    execFileSync('/bin/sh', ['-s'], { input: script, env, stdio: 'pipe' })
  }

  /** Returns permissions of deployed accounts on resources that a removal keeps. */
  rights(): string[] {
    const isKept = /^right-(my-project|journeys-hash-key|SCHEMA|TABLE).*-serviceAccount:journeys-/
    return readdirSync(this.#state).filter((name) => isKept.test(name))
  }

  /** Returns the calls of the programs since the last call of this function. */
  log(): string[] {
    const path = join(this.#state, 'log')
    if (!existsSync(path)) return []
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    rmSync(path)
    return lines.map((line) => line.replaceAll('\t', ' '))
  }
}

describe.each(['subscription', 'function'] as const)('landing by %s', (landing) => {
  test('prints the plan as a script', async () => {
    await expect(scriptOf(planOf(site(landing)))).toMatchFileSnapshot(`../plans/${landing}.sh`)
  })

  test('the script does what --yes does, and a repetition creates nothing', async () => {
    const [byHand, byCommand] = [new Machine(), new Machine()]
    byHand.sh(scriptOf(planOf(site(landing))))
    const first = await byCommand.deploy(['--landing', landing, '--yes'])
    expect([first.stderr, first.status]).toEqual([expect.stringMatching(/knows all/), 0])
    const asked = byCommand.log()
    expect(asked).toEqual(byHand.log())
    expect(asked.filter((line) => line.includes('$'))).toEqual([])
    const made = asked.filter((line) => / create /.test(line))
    expect(made.length).toBeGreaterThan(8)
    byCommand.sh(scriptOf(planOf(site(landing))))
    const again = byCommand.log()
    expect(again.filter((line) => / create /.test(line))).toEqual([])
    expect(again.filter((line) => / update /.test(line))).toHaveLength(2)
  })
})

test('uses the project number and the URLs that earlier steps print', () => {
  const machine = new Machine()
  machine.sh(scriptOf(planOf(site('function'))))
  const asked = machine.log()
  const pubsub = 'service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com'
  expect(asked.some((line) => line.includes(pubsub))).toBe(true)
  const push = asked.find((line) => line.includes('create journeys-push --topic'))
  expect(push).toContain(
    '--push-endpoint=https://journeys-ingest.example/projects/my-project/topics/journeys-events',
  )
  expect(asked.at(-1)).toContain('--uri=https://journeys-advance.example')
})

test('stops at the first failure with advice, and continues from there', () => {
  const machine = new Machine()
  const failed = machine.deployAlone(['--yes'], 'functions deploy journeys-advance')
  expect(failed.status).toBe(1)
  expect(failed.stderr).toMatch(
    /error: step \d+ of \d+ failed with exit code 3: gcloud functions deploy journeys-advance --/,
  )
  expect(failed.stderr).toContain(
    'then run the same command again: finished steps are skipped or repeated safely',
  )
  expect(failed.stderr).toContain('permission denied')
  expect(machine.log().at(-1)).toContain('functions deploy journeys-advance')
  machine.sh(scriptOf(planOf(site('subscription'))))
  const rest = machine.log()
  expect(rest.filter((line) => / create /.test(line))).toEqual([
    expect.stringContaining('scheduler jobs create http journeys-tick'),
  ])
})

test('stops if a stored value is empty, as script and as command', async () => {
  const [byHand, byCommand] = [new Machine(), new Machine()]
  const empty = await byCommand.deploy(['--yes'], 'functions deploy journeys-advance', 0)
  expect([empty.status, empty.stderr]).toEqual([
    1,
    expect.stringContaining('printed nothing: gcloud'),
  ])
  const script = scriptOf(planOf(site('subscription')))
  expect(() => byHand.sh(script, 'functions deploy journeys-advance', 0)).toThrow('ADVANCE_URL')
  for (const machine of [byHand, byCommand]) {
    expect(machine.log().filter((line) => line.includes('scheduler jobs create'))).toEqual([])
  }
})

test('does nothing if a program does not know a flag', async () => {
  const machine = new Machine(PROGRAMS, '--concurrency')
  const refused = await machine.deploy(['--yes'])
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain(
    'the installed Google Cloud CLI does not know gcloud functions deploy --concurrency;',
  )
  expect(machine.log()).toEqual([])
})

test('prints the plan but does not run it if the programs are missing', async () => {
  const machine = new Machine([])
  const printed = await machine.deploy([])
  expect(printed.status).toBe(0)
  expect(printed.stdout).toBe(scriptOf(planOf(site('subscription'))))
  const missing = 'not installed: bq, gcloud; they come with the Google Cloud CLI'
  expect(printed.stderr).toContain(missing)
  const refused = await machine.deploy(['--yes'])
  expect([refused.status, refused.stderr]).toEqual([1, `error: ${missing}`])
})

test('removal deletes all resources of both kinds of landing except the dataset', async () => {
  await expect(scriptOf(removalOf(site('subscription')))).toMatchFileSnapshot('../plans/removal.sh')
  const machine = new Machine()
  for (const landing of ['subscription', 'function'] as const) {
    machine.sh(scriptOf(planOf(site(landing))))
  }
  const made = machine.log().filter((line) => / (create|deploy) /.test(line))
  expect((await machine.deploy(['--remove', '--yes'])).status).toBe(0)
  const removed = machine.log().filter((line) => line.includes(' delete '))
  expect(removed).toHaveLength(new Set(made.map((line) => line.split(' --')[0])).size)
  expect(removed.filter((line) => !line.startsWith('gcloud '))).toEqual([])
  machine.sh(scriptOf(removalOf(site('subscription'))))
  expect(machine.log().filter((line) => line.includes(' delete '))).toEqual([])
})

test('no permission outlives its account, even if the removal is interrupted', async () => {
  const machine = new Machine()
  machine.sh('gcloud secrets create journeys-hash-key')
  for (const landing of ['subscription', 'function'] as const) {
    machine.sh(scriptOf(planOf(site(landing, { isHashed: true }))))
  }
  expect(machine.rights()).toHaveLength(11)
  const cut = await machine.deploy(['--remove', '--yes'], 'secrets remove-iam-policy-binding')
  expect([cut.status, cut.stderr]).toEqual([1, expect.stringContaining('failed with exit code 3')])
  expect(machine.rights().length).toBeGreaterThan(0)
  expect(machine.log().filter((line) => line.includes('accounts delete'))).toEqual([])
  machine.sh(scriptOf(removalOf(site('function'))), 'accounts delete journeys-build', 0)
  expect(machine.rights()).toEqual([])
  expect((await machine.deploy(['--remove', '--yes'])).status).toBe(0)
  expect(machine.rights()).toEqual([])
})

test('removal revokes no permission on a dataset that no longer exists', async () => {
  const machine = new Machine()
  machine.sh(scriptOf(planOf(site('subscription'))))
  machine.log()
  expect((await machine.deploy(['--remove', '--yes'], 'show --dataset')).status).toBe(0)
  const asked = machine.log()
  expect(asked.filter((line) => / query /.test(line))).toEqual([])
  expect(asked.filter((line) => line.includes('accounts delete'))).toHaveLength(4)
})

/** Returns the permissions that a plan grants: account, role and resource. */
function rightsOf(landing: Landing): string[] {
  return planOf(site(landing))
    .flatMap(commandsOf)
    .flatMap((command) => {
      const { program, path, args } = command
      const option = (name: string) => args.find((arg) => arg.startsWith(name))?.split('=')[1]
      const [, account = ''] = /serviceAccount:([\w$-]+)@/.exec(args.join(' ')) ?? []
      const [, granted, where] = /^GRANT `(.*)` ON (.*) TO/.exec(args.at(-1) ?? '') ?? []
      if (program === 'bq') return [`${account} ${granted} ${where?.replaceAll('`', '')}`]
      if (path.at(-1) === 'add-invoker-policy-binding') return [`${account} calls ${args[0]}`]
      if (path.at(-1) !== 'add-iam-policy-binding') return []
      return [`${account} ${option('--role')} ${path.slice(0, -1).join(' ')} ${args[0]}`]
    })
    .map((right) => right.replaceAll('my-project.journeys', 'journeys'))
    .sort()
}

const EMAIL = '@my-project.iam.gserviceaccount.com'
const EITHER_WAY = [
  'journeys-advance roles/bigquery.dataEditor SCHEMA journeys',
  'journeys-advance roles/bigquery.jobUser projects my-project',
  'journeys-advance roles/pubsub.publisher pubsub topics journeys-effects',
  'journeys-build roles/artifactregistry.writer projects my-project',
  'journeys-build roles/logging.logWriter projects my-project',
  'journeys-build roles/storage.objectViewer projects my-project',
  'journeys-tick calls journeys-advance',
  'service-$PROJECT_NUMBER roles/pubsub.publisher pubsub topics journeys-undelivered',
]
const RIGHTS = {
  subscription: [
    'journeys-landing roles/bigquery.dataEditor TABLE journeys.landed_messages',
    `service-$PROJECT_NUMBER roles/iam.serviceAccountTokenCreator iam service-accounts ` +
      `journeys-landing${EMAIL}`,
    'service-$PROJECT_NUMBER roles/pubsub.subscriber pubsub subscriptions journeys-landing',
  ],
  function: [
    'journeys-ingest roles/bigquery.dataEditor TABLE journeys.landed_messages',
    'journeys-ingest roles/bigquery.dataViewer SCHEMA journeys',
    'journeys-ingest roles/bigquery.jobUser projects my-project',
    'journeys-push calls journeys-ingest',
    `service-$PROJECT_NUMBER roles/iam.serviceAccountTokenCreator iam service-accounts ` +
      `journeys-push${EMAIL}`,
    'service-$PROJECT_NUMBER roles/pubsub.subscriber pubsub subscriptions journeys-push',
  ],
}

test.each(['subscription', 'function'] as const)(
  'grants only the expected permissions: %s',
  (landing) => {
    expect(rightsOf(landing)).toEqual([...EITHER_WAY, ...RIGHTS[landing]].sort())
  },
)

test.skipIf(analyzer === null)('GRANT and REVOKE statements are valid BigQuery SQL', async () => {
  const steps = [...planOf(site('subscription')), ...planOf(site('function'))]
  const statements = [...steps, ...removalOf(site('function'))]
    .flatMap(commandsOf)
    .filter(({ program, path }) => program === 'bq' && path[0] === 'query')
    .map(({ args }) => args.at(-1) as string)
  expect(statements).toHaveLength(13)
  for (const statement of statements) await analyzer?.parse(statement)
})

test('Pub/Sub can write the table landed_messages itself', () => {
  const { columns } = physicalTables().find(({ name }) => name === 'landed_messages') ?? {}
  expect(columns?.slice(0, 5)).toEqual([
    { name: 'subscription_name', type: 'string' },
    { name: 'message_id', type: 'string' },
    { name: 'publish_time', type: 'timestamp' },
    { name: 'data', type: 'bytes' },
    { name: 'attributes', type: 'string' },
  ])
})

test('every function that reads plain identifiers has the hash key', () => {
  const lines = planOf(site('function', { isHashed: true }))
    .flatMap(commandsOf)
    .map(wordsOf)
  const deploys = lines.filter((words) => words.includes('deploy'))
  expect(deploys.map((words) => words.find((word) => word.includes('HASH_KEY')))).toEqual([
    '--set-secrets=DESIRE_PATH_HASH_KEY=journeys-hash-key:latest',
    '--set-secrets=DESIRE_PATH_HASH_KEY=journeys-hash-key:latest',
  ])
  expect(lines.findIndex((words) => words.includes('secrets'))).toBeLessThan(
    lines.findIndex((words) => words.includes('deploy')),
  )
})

test('the schedule fits the interval, and the function timeout fits the schedule', () => {
  const deadlines = ([1, 5, 30] as const).map((minutes) => {
    const words = planOf(site('subscription', { minutes })).flatMap(commandsOf).flatMap(wordsOf)
    const valueOf = (name: string) => words.find((word) => word.startsWith(name))?.split('=')[1]
    const [, seconds] = /ADVANCE_SECONDS=(\d+)/.exec(words.join(' ')) ?? []
    return [valueOf('--schedule'), seconds, valueOf('--timeout'), valueOf('--attempt-deadline')]
  })
  expect(deadlines).toEqual([
    ['*/1 * * * *', '50', '290s', '290s'],
    ['*/5 * * * *', '290', '530s', '530s'],
    ['*/30 * * * *', '1200', '1440s', '1440s'],
  ])
})

test.each([
  [{ project: 'My Project' }, '--project "My Project" is not valid: use the id of a project'],
  [{ region: 'EU' }, '--region "EU" is not valid: use a region of Cloud Functions'],
  [{ dataset: 'a-b' }, '--dataset "a-b" is not valid: use at most 21 lower-case letters'],
  [{ every: '7' }, '--every "7" is not valid: use one of 1, 2, 3'],
  [{ landing: 'pigeon' }, '--landing "pigeon" is not valid: use one of subscription, function'],
])('refuses %j', (wrong, complaint) => {
  expect(() => siteOf({ ...site('function'), every: '5', ...wrong })).toThrow(complaint)
})

test('exits with 2 and one line for invalid arguments', async () => {
  const refused = await new Machine().deploy(['--json', '--yes'])
  expect([refused.status, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toBe('error: --json prints the plan only: leave out --yes')
})

test('refuses to land by subscription if a namespace is hashed', async () => {
  const definitions = join(dir, 'hashed')
  mkdirSync(definitions)
  writeFileSync(join(definitions, 'identity.ts'), "export default { hashed: ['email'] }\n")
  const refused = await new Machine().deploy([
    '--definitions',
    definitions,
    '--landing',
    'subscription',
  ])
  expect([refused.status, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(
    /^error: --landing subscription .* values of email, which .*--landing function$/,
  )
})
