/** Commands of the cloud programs for one project, and common steps. */

import type { Command, Step } from './step.ts'
import { namesOf, type Site } from './site.ts'

const SOON = 'a new account may take a minute to be visible: wait'

export function toolsOf(site: Pick<Site, 'project' | 'dataset' | 'region'>) {
  const { project, dataset, region } = site
  const { emailOf } = namesOf(site)

  /** `gcloud` command about the project itself. */
  const projects = (verb: string, ...args: string[]): Command => ({
    program: 'gcloud',
    globals: [],
    path: ['projects', verb],
    args: [project, ...args],
  })

  /** `gcloud` command about a resource of the project. */
  const gcloud = (path: string, ...args: string[]): Command => ({
    program: 'gcloud',
    globals: [],
    path: path.split(' '),
    args: [...args, `--project=${project}`],
  })

  const npm = (script: string, ...args: string[]): Command => ({
    program: 'npm',
    globals: [],
    path: ['run', '--silent', script],
    args: ['--', ...args],
  })

  /** SQL statement in the region of the dataset. */
  const sql = (statement: string): Command => ({
    program: 'bq',
    globals: [`--location=${region}`, `--project_id=${project}`],
    path: ['query'],
    args: ['--use_legacy_sql=false', statement],
  })

  /** Succeeds if the dataset exists. */
  const shown: Command = {
    program: 'bq',
    globals: [`--project_id=${project}`],
    path: ['show'],
    args: ['--dataset', `${project}:${dataset}`],
  }

  /** Grants a role on a resource to an account. Idempotent. */
  const allow = (why: string, path: string, resource: string, member: string, role: string) => ({
    why,
    run: gcloud(
      `${path} add-iam-policy-binding`,
      resource,
      `--member=${member}`,
      `--role=${role}`,
      '--format=none',
    ),
    mend: SOON,
  })

  const memberOf = (account: string) => `serviceAccount:${emailOf(account)}`

  return {
    projects,
    gcloud,
    npm,
    dataset: shown,
    allow,
    memberOf,
    /** Pub/Sub's own account in the project. */
    pubsub: 'serviceAccount:service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com',

    account: (name: string, purpose: string): Step => ({
      why: `The account of ${purpose}.`,
      look: gcloud('iam service-accounts describe', emailOf(name)),
      ifAbsent: gcloud('iam service-accounts create', name),
    }),

    /** Grants a role in the project, without a condition. */
    allowInProject: (why: string, account: string, role: string): Step => ({
      why,
      run: projects(
        'add-iam-policy-binding',
        `--member=${memberOf(account)}`,
        `--role=${role}`,
        '--condition=None',
        '--format=none',
      ),
      mend: SOON,
    }),

    /** Grants a role on the dataset, or on one of its tables. */
    allowInDataset: (why: string, account: string, role: string, table?: string): Step => {
      const named = `\`${project}\`.\`${dataset}\``
      const where = table === undefined ? `SCHEMA ${named}` : `TABLE ${named}.\`${table}\``
      return {
        why,
        run: sql(`GRANT \`roles/${role}\` ON ${where} TO "${memberOf(account)}"`),
        mend: SOON,
      }
    },
  }
}
