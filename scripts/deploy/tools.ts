/** Commands of the cloud's programs for one project, and the steps that are made of them often. */

import type { Command, Step } from './step.ts'
import { namesOf, type Site } from './site.ts'

const SOON = 'an account that was just made may take a minute to be known: wait for it'

export function toolsOf(site: Pick<Site, 'project' | 'dataset' | 'region'>) {
  const { project, dataset, region } = site
  const { emailOf } = namesOf(site)

  /** About the project itself. */
  const projects = (verb: string, ...args: string[]): Command => ({
    program: 'gcloud',
    globals: [],
    path: ['projects', verb],
    args: [project, ...args],
  })

  /** About something in it. */
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

  /** A statement in the dataset's region. */
  const sql = (statement: string): Command => ({
    program: 'bq',
    globals: [`--location=${region}`, `--project_id=${project}`],
    path: ['query'],
    args: ['--use_legacy_sql=false', statement],
  })

  /** Whether the dataset is there. */
  const shown: Command = {
    program: 'bq',
    globals: [`--project_id=${project}`],
    path: ['show'],
    args: ['--dataset', `${project}:${dataset}`],
  }

  /** Lets an account do something with a resource; again, it changes nothing. */
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
    /** Pub/Sub's own account in the project; the number is learned. */
    pubsub: 'serviceAccount:service-$PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com',

    account: (name: string, purpose: string): Step => ({
      why: `The account of ${purpose}.`,
      look: gcloud('iam service-accounts describe', emailOf(name)),
      ifAbsent: gcloud('iam service-accounts create', name),
    }),

    /** A role in the project, without a condition. */
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

    /** A role in the dataset, or in one of its tables. */
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
