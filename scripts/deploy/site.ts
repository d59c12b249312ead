/** Names of everything that is deployed. They begin with the name of the dataset. */

import { UserError } from '../../pipeline/base/errors.ts'

/** How events come from the topic to the table of landed messages. */
export const LANDINGS = ['subscription', 'function'] as const
export type Landing = (typeof LANDINGS)[number]

export type Site = {
  project: string
  dataset: string
  /** Where everything runs and lies. */
  region: string
  landing: Landing
  /** Between two ticks. */
  minutes: number
  definitionsDir: string
  /** Whether identifiers of some namespace are kept as hashes, for which there is a key. */
  isHashed: boolean
}

/** Minutes that divide an hour evenly, as `cron` requires. */
const MINUTES = [1, 2, 3, 5, 10, 15, 20, 30]

type Given = { project: string; dataset: string; region: string; landing: string; every: string }

/** The options as they were given, checked. */
export function siteOf(given: Given): Omit<Site, 'definitionsDir' | 'isHashed'> {
  const { project, dataset, region } = given
  const refuse = (option: string, value: string, how: string) =>
    new UserError(`--${option} ${JSON.stringify(value)} cannot be: ${how}`, 2)
  if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project)) {
    throw refuse('project', project, 'give the id of a project, for example my-project')
  }
  if (!/^[a-z][a-z0-9_]{0,20}$/.test(dataset) || dataset.endsWith('_')) {
    const rule = 'at most 21 small letters, digits and _, as accounts are named after it'
    throw refuse('dataset', dataset, rule)
  }
  if (!/^[a-z]+-[a-z]+\d+$/.test(region)) {
    throw refuse('region', region, 'give one where functions run, for example europe-west1')
  }
  const landing = LANDINGS.find((known) => known === given.landing)
  if (landing === undefined) {
    throw refuse('landing', given.landing, `choose one of ${LANDINGS.join(', ')}`)
  }
  const minutes = MINUTES.find((known) => String(known) === given.every)
  if (minutes === undefined) {
    throw refuse('every', given.every, `choose minutes of ${MINUTES.join(', ')}`)
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
    /** Service accounts, a part's own each. */
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
