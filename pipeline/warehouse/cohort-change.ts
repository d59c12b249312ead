/** What a run of a cohort puts on record. */

import type { SupersededBecause } from './warehouse.ts'

/**
 * Why somebody entered or left: `moved_on` by what has happened since the last run; `corrected`
 * because what was believed of the time before it is no longer believed; `identity` likewise,
 * where people were merged or parted; `redefined` under another version of the cohort, or of a
 * journey it asks about; `first_run` where there was no run before.
 */
export type ChangeReason = 'first_run' | 'moved_on' | 'corrected' | 'identity' | 'redefined'

export type CohortChange = {
  cohort: string
  version: number
  profileId: string
  change: 'entered' | 'left'
  reason: ChangeReason
  /** The event time the run asked for, microseconds. */
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

/** What the versions of `cohort_members` say for it. */
export const SUPERSEDED_BY: { [R in ChangeReason]: SupersededBecause } = {
  first_run: 'rebuilt',
  moved_on: 'progress',
  corrected: 'late_event',
  identity: 'identity',
  redefined: 'rebuilt',
}
