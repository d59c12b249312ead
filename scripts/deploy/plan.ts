/**
 * Deployment plan, from a project with billing to journeys in BigQuery. Every step can be repeated:
 * resources are created only if they are missing, and settings are set again.
 *
 *   topic of events → landing → landed_messages → advance, at each tick → tables → topic of effects
 *
 * Each part has its own account with minimal roles: see the steps that begin with "Allow".
 */

import { functionSteps, PACKAGE_DIR } from './functions.ts'
import { landing } from './landing.ts'
import { namesOf, type Site } from './site.ts'
import type { Step } from './step.ts'
import { toolsOf } from './tools.ts'

const SERVICES = [
  'artifactregistry',
  'bigquery',
  'bigquerystorage',
  'cloudbuild',
  'cloudfunctions',
  'cloudscheduler',
  'iam',
  'pubsub',
  'run',
  'storage',
]

/** Longest run of `advance`, and time reserved for its last batch, seconds. */
const ADVANCE_MAX = 1_200
const LAST_BATCH = 240

/** Maximum retention of a subscription. */
const RETENTION_MAX = '31d'

export function planOf(site: Site): Step[] {
  const key = site.isHashed ? hashing(site) : []
  return [...foundation(site), ...building(site), ...key, ...landing(site), ...advancing(site)]
}

/** Steps shared by both ways of landing. */
function foundation(site: Site): Step[] {
  const { project, dataset, region } = site
  const { projects, gcloud, npm, account, allow, pubsub } = toolsOf(site)
  const { topics, subscriptions, accounts } = namesOf(site)
  const topic = (why: string, name: string, ...args: string[]): Step => ({
    why,
    look: gcloud('pubsub topics describe', name),
    ifAbsent: gcloud('pubsub topics create', name, ...args),
  })
  const services = SERVICES.map((name) => `${name}.googleapis.com`)
  return [
    {
      why: "The project's number: Google names its own accounts after it.",
      run: projects('describe', '--format=value(projectNumber)'),
      learn: 'PROJECT_NUMBER',
      mend: `run gcloud auth login, and check that gcloud projects list has ${project}`,
    },
    {
      why: 'Enable the APIs that the pipeline uses.',
      run: gcloud('services enable', ...services),
      mend: 'the project needs a billing account, and you need the role Service Usage Admin',
    },
    account(accounts.advance, 'advance, which turns landed events into tables'),
    account(accounts.tick, 'the tick, which may only call advance'),
    account(accounts.build, 'Cloud Build, which builds the functions'),
    topic('Events are published here.', topics.events),
    topic('Messages that failed to land 100 times go here.', topics.undelivered),
    topic(
      'Effects are published here, and kept for a week for later subscribers.',
      topics.effects,
      '--message-retention-duration=7d',
    ),
    {
      why: 'Keeps messages that failed to land, for inspection.',
      look: gcloud('pubsub subscriptions describe', subscriptions.undelivered),
      ifAbsent: gcloud(
        'pubsub subscriptions create',
        subscriptions.undelivered,
        `--topic=${topics.undelivered}`,
        `--message-retention-duration=${RETENTION_MAX}`,
        '--expiration-period=never',
      ),
    },
    {
      ...allow(
        'Allow Pub/Sub to forward messages that failed to land.',
        'pubsub topics',
        topics.undelivered,
        pubsub,
        'roles/pubsub.publisher',
      ),
      mend:
        'if Pub/Sub has no account here yet: gcloud beta services identity create ' +
        `--service=pubsub.googleapis.com --project=${project}`,
    },
    {
      why: 'The dataset, its tables and views: creates missing ones, changes nothing else.',
      run: npm('migrate', '--warehouse', `bigquery:${project}.${dataset}`, '--location', region),
      mend: 'run gcloud auth application-default login: this step uses those credentials',
    },
  ]
}

/** Steps that package the functions and allow Cloud Build to build them. */
function building(site: Site): Step[] {
  const { npm, allowInProject } = toolsOf(site)
  const { build } = namesOf(site).accounts
  return [
    allowInProject('Allow the build account to write its log.', build, 'roles/logging.logWriter'),
    allowInProject('Allow it to store its images.', build, 'roles/artifactregistry.writer'),
    allowInProject('Allow it to read the uploaded source.', build, 'roles/storage.objectViewer'),
    {
      why: 'The functions and the definitions as JavaScript, in a folder that is uploaded.',
      run: npm('package', '--definitions', site.definitionsDir, '--out', PACKAGE_DIR),
      mend: 'correct the definitions as printed above',
    },
  ]
}

function advancing(site: Site): Step[] {
  const { project, dataset, region, minutes } = site
  const { gcloud, allow, allowInDataset, allowInProject, memberOf } = toolsOf(site)
  const { topics, functions, accounts, emailOf, hashKey, tick } = namesOf(site)
  const seconds = Math.min(minutes * 60 - 10, ADVANCE_MAX)
  const schedule = [
    tick,
    `--location=${region}`,
    `--schedule=*/${minutes} * * * *`,
    '--uri=$ADVANCE_URL',
    '--http-method=POST',
    `--oidc-service-account-email=${emailOf(accounts.tick)}`,
    '--oidc-token-audience=$ADVANCE_URL',
    `--attempt-deadline=${seconds + LAST_BATCH}s`,
  ]
  return [
    allowInDataset(
      'Allow advance to read and write this dataset only.',
      accounts.advance,
      'bigquery.dataEditor',
    ),
    allowInProject('Allow it to run queries.', accounts.advance, 'roles/bigquery.jobUser'),
    allow(
      'Allow it to publish effects.',
      'pubsub topics',
      topics.effects,
      memberOf(accounts.advance),
      'roles/pubsub.publisher',
    ),
    ...functionSteps(site, {
      why:
        'The function that processes landed messages. At most one instance, because only one can ' +
        'commit at a time. A call during a run joins that run.',
      name: functions.advance,
      entryPoint: 'advance',
      account: accounts.advance,
      caller: accounts.tick,
      whyCaller: 'Allow the tick to call it.',
      memory: '2Gi',
      instances: 1,
      concurrency: 8,
      seconds: seconds + LAST_BATCH,
      variables: [
        `DESIRE_PATH_WAREHOUSE=bigquery:${project}.${dataset}`,
        `DESIRE_PATH_EFFECTS=pubsub:${project}/${topics.effects}`,
        `DESIRE_PATH_ADVANCE_SECONDS=${seconds}`,
      ],
      ...(site.isHashed ? { secrets: `DESIRE_PATH_HASH_KEY=${hashKey}:latest` } : {}),
      learn: 'ADVANCE_URL',
    }),
    {
      why: `The tick, every ${minutes === 1 ? 'minute' : `${minutes} minutes`}.`,
      look: gcloud('scheduler jobs describe', tick, `--location=${region}`),
      ifAbsent: gcloud('scheduler jobs create http', ...schedule),
      ifThere: gcloud('scheduler jobs update http', ...schedule),
    },
  ]
}

/** You create the key of hashed identifiers, once: under another key, known people are not recognised. */
function hashing(site: Site): Step[] {
  const { gcloud, allow, memberOf } = toolsOf(site)
  const { hashKey, accounts } = namesOf(site)
  return [
    {
      why: 'The API that stores secrets.',
      run: gcloud('services enable', 'secretmanager.googleapis.com'),
    },
    {
      why: 'The key of hashed identifiers, which you created.',
      run: gcloud('secrets describe', hashKey),
      mend:
        `openssl rand -hex 32 | gcloud secrets create ${hashKey} --data-file=- ` +
        `--project=${site.project}`,
    },
    allow(
      'Allow advance to read it.',
      'secrets',
      hashKey,
      memberOf(accounts.advance),
      'roles/secretmanager.secretAccessor',
    ),
  ]
}
