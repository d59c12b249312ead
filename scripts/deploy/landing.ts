/**
 * Steps that bring messages from the topic of events to the table `landed_messages`:
 *
 * - `subscription`: Pub/Sub writes messages into the table itself. No code, and the lowest price.
 * - `function`: Pub/Sub calls `ingest` for each message; concurrent calls share a write. About
 *   fifteen times the price, for projects where Pub/Sub may not write into BigQuery.
 */

import { functionSteps } from './functions.ts'
import { namesOf, type Site } from './site.ts'
import type { Step } from './step.ts'
import { toolsOf } from './tools.ts'

const TABLE = 'landed_messages'
/** Within one call, `ingest` retries a failed write for about two minutes. */
const INGEST_SECONDS = 180

export function landing(site: Site): Step[] {
  return site.landing === 'subscription' ? bySubscription(site) : byFunction(site)
}

function bySubscription(site: Site): Step[] {
  const { project, dataset } = site
  const { account, allow, allowInDataset, pubsub } = toolsOf(site)
  const { subscriptions, accounts, emailOf } = namesOf(site)
  const mayAppend = 'Allow it to append to the table of landed messages only.'
  return [
    account(accounts.landing, 'landing, which writes messages into their table'),
    allowInDataset(mayAppend, accounts.landing, 'bigquery.dataEditor', TABLE),
    allow(
      'Allow Pub/Sub to act as that account.',
      'iam service-accounts',
      emailOf(accounts.landing),
      pubsub,
      'roles/iam.serviceAccountTokenCreator',
    ),
    ...subscribed(site, {
      why: 'Landing: stores every message unchanged as a row, with its id and time.',
      name: subscriptions.table,
      settings: [
        `--bigquery-table=${project}:${dataset}.${TABLE}`,
        '--write-metadata',
        `--bigquery-service-account-email=${emailOf(accounts.landing)}`,
      ],
    }),
  ]
}

function byFunction(site: Site): Step[] {
  const { project, dataset } = site
  const { account, allow, allowInDataset, allowInProject, memberOf, pubsub } = toolsOf(site)
  const { topics, subscriptions, functions, accounts, emailOf, hashKey } = namesOf(site)
  const { ingest } = accounts
  const mayAppend = 'Allow ingest to append to the table of landed messages.'
  const maySee = 'Allow it to check that the dataset exists and is up to date.'
  return [
    account(ingest, 'ingest, which lands messages'),
    ...(site.isHashed
      ? [
          allow(
            'Allow ingest to read the key of hashed identifiers.',
            'secrets',
            hashKey,
            memberOf(ingest),
            'roles/secretmanager.secretAccessor',
          ),
        ]
      : []),
    account(accounts.push, 'the push subscription, which may only call ingest'),
    allowInDataset(mayAppend, ingest, 'bigquery.dataEditor', TABLE),
    allowInDataset(maySee, ingest, 'bigquery.dataViewer'),
    allowInProject('Allow it to run that query.', ingest, 'roles/bigquery.jobUser'),
    ...functionSteps(site, {
      why: 'The function that stores a message unchanged.',
      name: functions.ingest,
      entryPoint: 'ingest',
      account: ingest,
      caller: accounts.push,
      whyCaller: 'Allow Pub/Sub to call it.',
      memory: '1Gi',
      instances: 10,
      concurrency: 80,
      seconds: INGEST_SECONDS,
      variables: [`DESIRE_PATH_WAREHOUSE=bigquery:${project}.${dataset}`],
      ...(site.isHashed ? { secrets: `DESIRE_PATH_HASH_KEY=${hashKey}:latest` } : {}),
      learn: 'INGEST_URL',
    }),
    allow(
      'Allow Pub/Sub to sign its calls.',
      'iam service-accounts',
      emailOf(accounts.push),
      pubsub,
      'roles/iam.serviceAccountTokenCreator',
    ),
    ...subscribed(site, {
      why: 'Landing: delivers every message to the function.',
      name: subscriptions.push,
      settings: [
        `--push-endpoint=$INGEST_URL/projects/${project}/topics/${topics.events}`,
        `--push-auth-service-account=${emailOf(accounts.push)}`,
        '--push-auth-token-audience=$INGEST_URL',
        `--ack-deadline=${INGEST_SECONDS}`,
      ],
    }),
  ]
}

/**
 * Returns the steps of a subscription to the topic of events. Messages of any content can land, so
 * only an outage makes a delivery fail. The 100 attempts, which are the maximum, are up to ten
 * minutes apart and outlast an outage of 16 hours.
 */
function subscribed(site: Site, given: { why: string; name: string; settings: string[] }): Step[] {
  const { gcloud, allow, pubsub } = toolsOf(site)
  const { topics } = namesOf(site)
  const { why, name } = given
  const settings = [
    ...given.settings,
    `--dead-letter-topic=${topics.undelivered}`,
    '--max-delivery-attempts=100',
    '--min-retry-delay=10s',
    '--max-retry-delay=600s',
    '--message-retention-duration=7d',
    '--expiration-period=never',
  ]
  const topic = `--topic=${topics.events}`
  return [
    {
      why,
      look: gcloud('pubsub subscriptions describe', name),
      ifAbsent: gcloud('pubsub subscriptions create', name, topic, ...settings),
      ifThere: gcloud('pubsub subscriptions update', name, ...settings),
      mend: 'a new permission may take a minute to take effect: wait',
    },
    allow(
      'Allow Pub/Sub to remove messages that failed to land.',
      'pubsub subscriptions',
      name,
      pubsub,
      'roles/pubsub.subscriber',
    ),
  ]
}
