/** Names of all deployed resources. They begin with the name of the dataset. */

import { UserError } from '../../pipeline/base/errors.ts'

/** Ways from the topic of events to the table of landed messages. */
export const LANDINGS = ['subscription', 'function'] as const
export type Landing = (typeof LANDINGS)[number]

export type Site = {
  project: string
  dataset: string
  /** Region of all resources. */
  region: string
  landing: Landing
  /** Minutes between two ticks. */
  minutes: number
  definitionsDir: string
  /** Whether identifiers of a namespace are hashed, which needs a key. */
  isHashed: boolean
}

/** Minutes that divide an hour evenly, as `cron` requires. */
const MINUTES = [1, 2, 3, 5, 10, 15, 20, 30]

type Given = { project: string; dataset: string; region: string; landing: string; every: string }

/** Checks the options. Throws a `UserError` for an invalid one. */
export function siteOf(given: Given): Omit<Site, 'definitionsDir' | 'isHashed'> {
  const { project, dataset, region } = given
  const refuse = (option: string, value: string, how: string) =>
    new UserError(`--${option} ${JSON.stringify(value)} is not valid: ${how}`, 2)
  if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project)) {
    throw refuse('project', project, 'use the id of a project, for example my-project')
  }
  if (!/^[a-z][a-z0-9_]{0,20}$/.test(dataset) || dataset.endsWith('_')) {
    const rule =
      'use at most 21 lower-case letters, digits and _, because accounts are named after it'
    throw refuse('dataset', dataset, rule)
  }
  if (!/^[a-z]+-[a-z]+\d+$/.test(region)) {
    throw refuse('region', region, 'use a region of Cloud Functions, for example europe-west1')
  }
  const landing = LANDINGS.find((known) => known === given.landing)
  if (landing === undefined) {
    throw refuse('landing', given.landing, `use one of ${LANDINGS.join(', ')}`)
  }
  const minutes = MINUTES.find((known) => String(known) === given.every)
  if (minutes === undefined) {
    throw refuse('every', given.every, `use one of ${MINUTES.join(', ')} minutes`)
  }
  return { project, dataset, region, landing, minutes }
}

export function namesOf({ project, dataset }: { project: string; dataset: string }) {
  const stem = dataset.replaceAll('_', '-')
  const named = (end: string) => `${stem}-${end}`
  return {
    topics: {
      events: named('events'),
      undelivered: named('undelivered'),
      effects: named('effects'),
    },
    subscriptions: {
      table: named('landing'),
      push: named('push'),
      undelivered: named('undelivered'),
    },
    functions: { ingest: named('ingest'), advance: named('advance') },
    /** Service accounts, one for each part. */
    accounts: {
      landing: named('landing'),
      ingest: named('ingest'),
      push: named('push'),
      advance: named('advance'),
      tick: named('tick'),
      build: named('build'),
    },
    tick: named('tick'),
    hashKey: named('hash-key'),
    emailOf: (account: string) => `${account}@${project}.iam.gserviceaccount.com`,
  }
}
