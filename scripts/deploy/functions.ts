/** Steps that deploy a function of the package, allow one account to call it, and read its URL. */

import { namesOf, type Site } from './site.ts'
import type { Step } from './step.ts'
import { toolsOf } from './tools.ts'

export const PACKAGE_DIR = 'dist/functions'
const RUNTIME = 'nodejs22'

export type Part = {
  why: string
  name: string
  /** Name in the package. */
  entryPoint: string
  /** Account that the function runs as; `caller` is the account that may call it. */
  account: string
  caller: string
  whyCaller: string
  memory: string
  instances: number
  concurrency: number
  seconds: number
  variables: string[]
  secrets?: string
  /** Variable that holds its URL. */
  learn: string
}

export function functionSteps(site: Site, part: Part): Step[] {
  const { project, region } = site
  const { gcloud, memberOf } = toolsOf(site)
  const { accounts, emailOf } = namesOf(site)
  const { name, secrets } = part
  const inRegion = `--region=${region}`
  return [
    {
      why: part.why,
      run: gcloud(
        'functions deploy',
        name,
        '--gen2',
        inRegion,
        `--runtime=${RUNTIME}`,
        `--source=${PACKAGE_DIR}`,
        `--entry-point=${part.entryPoint}`,
        '--trigger-http',
        '--no-allow-unauthenticated',
        `--build-service-account=projects/${project}/serviceAccounts/${emailOf(accounts.build)}`,
        `--service-account=${emailOf(part.account)}`,
        `--memory=${part.memory}`,
        '--cpu=1',
        `--max-instances=${part.instances}`,
        `--concurrency=${part.concurrency}`,
        `--timeout=${part.seconds}s`,
        `--set-env-vars=${part.variables.join(',')}`,
        ...(secrets === undefined ? [] : [`--set-secrets=${secrets}`]),
      ),
      mend: 'see the build log at the address above',
    },
    {
      why: part.whyCaller,
      run: gcloud(
        'functions add-invoker-policy-binding',
        name,
        inRegion,
        `--member=${memberOf(part.caller)}`,
        '--format=none',
      ),
    },
    {
      why: 'The URL of the function.',
      run: gcloud(
        'functions describe',
        name,
        '--v2',
        inRegion,
        '--format=value(serviceConfig.uri)',
      ),
      learn: part.learn,
    },
  ]
}
