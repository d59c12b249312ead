/**
 * Removal: everything that a deployment creates, for either way of landing, is removed; the dataset
 * stays.
 *
 * A right on a resource that stays would outlive its account, as one of a `deleted:` account, and
 * later changes of the same policy would fail. Rights are therefore revoked before their account is
 * deleted.
 */

import { planOf } from './plan.ts'
import { LANDINGS, namesOf, type Site } from './site.ts'
import { commandsOf, lineOf, type Command, type Step } from './step.ts'
import { toolsOf } from './tools.ts'

const MEMBER = '--member=serviceAccount:'

type Place = Pick<Site, 'project' | 'dataset' | 'region'>

export function removalOf(site: Place): Step[] {
  const { gcloud } = toolsOf(site)
  const { topics, subscriptions, functions, accounts, tick, emailOf } = namesOf(site)
  const [region, location] = [`--region=${site.region}`, `--location=${site.region}`]
  const removed = (why: string, group: string, name: string, ...args: string[]): Step => ({
    why,
    look: gcloud(`${group} describe`, name, ...args),
    ifThere: gcloud(`${group} delete`, name, ...args),
  })
  return [
    removed('The tick: from here on, no events are applied.', 'scheduler jobs', tick, location),
    ...Object.values(subscriptions).map((name) =>
      removed('A subscription, with its undelivered messages.', 'pubsub subscriptions', name),
    ),
    ...Object.values(functions).map((name) => removed('A function.', 'functions', name, region)),
    ...Object.values(topics).map((name) =>
      removed('A topic: publishing to it fails from here on.', 'pubsub topics', name),
    ),
    ...takingBack(site),
    ...Object.values(accounts).map((name) =>
      removed('An account, with its permissions.', 'iam service-accounts', emailOf(name)),
    ),
  ]
}

/** Rights that the plans give on what stays. Taking one that is not there fails: each is given once
 * more first, which changes nothing of one that is. */
function takingBack(site: Place): Step[] {
  const { gcloud } = toolsOf(site)
  const settings = { minutes: 1, definitionsDir: '', isHashed: true }
  const plans = LANDINGS.flatMap((landing) => planOf({ ...site, ...settings, landing }))
  const commands = new Map(plans.flatMap(commandsOf).map((one) => [lineOf(one), one]))
  return [...commands.values()].flatMap((give): Step[] => {
    const right = rightOf(give, site)
    if (right === null) return []
    const { email, on, take } = right
    const look = [gcloud('iam service-accounts describe', email), ...on]
    return [{ why: `A right of ${email} on what stays.`, look, ifThere: [give, take] }]
  })
}

/** Returns the account of a right that a command grants, its resource if that may be removed, and the
 * command that revokes it. Null if it grants none, or one on something that is removed. */
function rightOf(
  give: Command,
  site: Place,
): { email: string; on: Command[]; take: Command } | null {
  const { gcloud, dataset } = toolsOf(site)
  const { path, args } = give
  const [group = '', verb] = path
  if (verb === 'add-iam-policy-binding' && ['projects', 'secrets'].includes(group)) {
    const email = args.find((arg) => arg.startsWith(MEMBER))?.slice(MEMBER.length) ?? ''
    const on = group === 'secrets' ? [gcloud('secrets describe', args[0] as string)] : []
    return { email, on, take: { ...give, path: [group, 'remove-iam-policy-binding'] } }
  }
  const [, right, email] = /^GRANT (.*) TO "serviceAccount:(.*)"$/.exec(args.at(-1) ?? '') ?? []
  if (email === undefined) return null
  const statement = `REVOKE ${right} FROM "serviceAccount:${email}"`
  return { email, on: [dataset], take: { ...give, args: [...args.slice(0, -1), statement] } }
}
