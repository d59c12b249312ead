/** Files that `npm run mutate` changes, and the tests that must fail. Each group takes minutes. */

export type Group = { files: readonly string[]; tests: readonly string[] }

export const GROUPS: { readonly [name: string]: Group } = {
  sessions: {
    files: ['pipeline/stages/sessionize.ts'],
    tests: ['test/stages/sessionize.test.ts'],
  },
  identity: {
    files: [
      'pipeline/stages/resolve-identity.ts',
      'pipeline/microbatch/link-identities.ts',
      'pipeline/microbatch/identity-pairs.ts',
    ],
    tests: ['test/stages/resolve-identity.test.ts', 'test/operations/forget.test.ts'],
  },
  journeys: {
    files: [
      'pipeline/stages/fold-journeys.ts',
      'pipeline/stages/erase-loops.ts',
      'pipeline/stages/instance.ts',
    ],
    tests: ['test/stages/fold-journeys.test.ts', 'test/stages/journey-facts.test.ts'],
  },
  funnels: {
    files: [
      'pipeline/stages/fold-funnels.ts',
      'pipeline/stages/funnel-attempts.ts',
      'pipeline/stages/attempt-changes.ts',
      'pipeline/stages/attempt-lists.ts',
      'pipeline/stages/funnel-point.ts',
      'pipeline/stages/funnel-state.ts',
    ],
    tests: [
      'test/stages/fold-funnels.test.ts',
      'test/laws/funnel.test.ts',
      'test/microbatch/funnel-rows.test.ts',
    ],
  },
  acknowledgement: {
    files: [
      'pipeline/run.ts',
      'pipeline/io/inbox-source.ts',
      'pipeline/io/inbox-writer.ts',
      'pipeline/io/outbox-publisher.ts',
    ],
    tests: [
      'test/microbatch/run.test.ts',
      'test/io/inbox-source.test.ts',
      'test/io/inbox-writer.test.ts',
      'test/io/crash-at-each-step.test.ts',
      'test/io/outbox-publisher.test.ts',
    ],
  },
  commit: {
    files: [
      'pipeline/microbatch/deduplicate.ts',
      'pipeline/microbatch/commit-builder.ts',
      'pipeline/microbatch/outbox.ts',
    ],
    tests: [
      'test/microbatch/commit-builder.test.ts',
      'test/microbatch/deduplicate.test.ts',
      'test/microbatch/outbox.test.ts',
    ],
  },
  erasure: {
    files: ['pipeline/microbatch/suppression-list.ts', 'pipeline/operations/forget.ts'],
    tests: [
      'test/microbatch/suppression-list.test.ts',
      'test/operations/forget.test.ts',
      'test/operations/forget-keep-anonymous.test.ts',
      'test/operations/redact-inbox.test.ts',
    ],
  },
}
