/** The way back: all that deploying makes, of either landing, is removed; the dataset stays. */

import { namesOf, type Site } from './site.ts'
import type { Step } from './step.ts'
import { toolsOf } from './tools.ts'

export function removalOf(site: Pick<Site, 'project' | 'dataset' | 'region'>): Step[] {
  const { gcloud } = toolsOf(site)
  const { topics, subscriptions, functions, accounts, tick, emailOf } = namesOf(site)
  const [region, location] = [`--region=${site.region}`, `--location=${site.region}`]
  const removed = (why: string, group: string, name: string, ...args: string[]): Step => ({
    why,
    look: gcloud(`${group} describe`, name, ...args),
    ifThere: gcloud(`${group} delete`, name, ...args),
  })
  return [
    removed('The tick: nothing is applied any more.', 'scheduler jobs', tick, location),
    ...Object.values(subscriptions).map((name) =>
      removed('A subscription, and what it still holds.', 'pubsub subscriptions', name),
    ),
    ...Object.values(functions).map((name) =>
      removed('A function.', 'functions', name, region),
    ),
    ...Object.values(topics).map((name) =>
      removed('A topic: who publishes here is refused from now on.', 'pubsub topics', name),
    ),
    ...Object.values(accounts).map((name) =>
      removed('An account, and what it was allowed.', 'iam service-accounts', emailOf(name)),
    ),
  ]
}
