/** Records of cohort runs: members who entered or left, and why. */

import type { SupersededBecause } from './warehouse.ts'

/**
 * Reason why a profile entered or left: `moved_on` by events since the last run; `corrected`
 * because rows from before the last run have changed; `identity` likewise, through a merge or
 * split; `redefined` by another version of the cohort or of its journey; `first_run` without an
 * earlier run.
 */
export type ChangeReason = 'first_run' | 'moved_on' | 'corrected' | 'identity' | 'redefined'

export type CohortChange = {
  cohort: string
  version: number
  profileId: string
  change: 'entered' | 'left'
  reason: ChangeReason
  /** Event time of the evaluation, microseconds. */
  evaluatedAt: number
}

export type CohortRun = {
  cohort: string
  version: number
  evaluatedAt: number
  members: number
  entered: number
  left: number
}

/** Reason recorded in the versions of `cohort_members`. */
export const SUPERSEDED_BY: { [R in ChangeReason]: SupersededBecause } = {
  first_run: 'rebuilt',
  moved_on: 'progress',
  corrected: 'late_event',
  identity: 'identity',
  redefined: 'rebuilt',
}
