/**
 * Steps that remove everything a deployment creates, for both kinds of landing, except the dataset.
 *
 * A permission on a remaining resource would outlive its account as one of a `deleted:` account, and
 * later changes of the same policy would fail. Permissions are therefore revoked before their
 * account is deleted.
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
    removed('The tick: no more events are processed.', 'scheduler jobs', tick, location),
    ...Object.values(subscriptions).map((name) =>
      removed('A subscription, with its undelivered messages.', 'pubsub subscriptions', name),
    ),
    ...Object.values(functions).map((name) => removed('A function.', 'functions', name, region)),
    ...Object.values(topics).map((name) =>
      removed('A topic: publishing to it fails after this.', 'pubsub topics', name),
    ),
    ...revocations(site),
    ...Object.values(accounts).map((name) =>
      removed('An account, with its permissions.', 'iam service-accounts', emailOf(name)),
    ),
  ]
}

/** Revokes the permissions that the plans grant on remaining resources. Revoking one that does not
 * exist fails, so each is granted again first, which has no effect on existing ones. */
function revocations(site: Place): Step[] {
  const { gcloud } = toolsOf(site)
  const settings = { minutes: 1, definitionsDir: '', isHashed: true }
  const plans = LANDINGS.flatMap((landing) => planOf({ ...site, ...settings, landing }))
  const commands = new Map(plans.flatMap(commandsOf).map((one) => [lineOf(one), one]))
  return [...commands.values()].flatMap((give): Step[] => {
    const right = rightOf(give, site)
    if (right === null) return []
    const { email, on, take } = right
    const look = [gcloud('iam service-accounts describe', email), ...on]
    return [
      { why: `A permission of ${email} on a resource that is kept.`, look, ifThere: [give, take] },
    ]
  })
}

/** Returns the account of a permission that a command grants, the commands that check its resource,
 * and the command that revokes it. Null if it grants none, or one on a removed resource. */
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
