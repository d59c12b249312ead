/**
 * Data of the explanation page: one plain JSON document. What several revisions have in common is
 * stored once and referred to by number. Instants are microseconds since 1970-01-01 UTC.
 */

import type { Outcome } from '../../pipeline/query/explain-outcome.ts'
import type { Correction } from '../../pipeline/query/explain-corrections.ts'
import type { KnownIdentifier } from '../../pipeline/query/explain-identifiers.ts'
import type { Pending, Session } from '../../pipeline/query/explain.ts'

/** Revisions per page (the latest), and happenings (the latest, and all that moved an instance). */
export const REVISIONS_MAX = 200
export const HAPPENINGS_MAX = 3_000

export type StoryDocument = {
  warehouse: string
  /** As it is recorded now. */
  profileId: string
  /** Journey selected by `--journey`, or null. */
  journey: string | null
  /** Instants that event time can be set to, ascending; the last is the watermark. */
  moments: number[]
  happenings: Happening[]
  sessions: Session[]
  identifiers: KnownIdentifier[]
  pending: Pending[]
  /** By knowledge time; never empty. */
  revisions: RevisionPart[]
  /** Which of them is shown first. */
  opening: number
  corrections: Correction[]
  revisionsLeftOut: number
  happeningsLeftOut: number
}

/** An event with what it did, or a timeout. */
export type Happening = {
  /** As recorded; the same event under another profile is another happening. */
  profileId: string
  at: number
  /** Null: a timeout. */
  event: { id: string; name: string; source: string; sessionId: string } | null
  outcomes: Outcome[]
}

/** Numbers are places in the lists of the document. */
export type RevisionPart = {
  at: number
  batch: number
  origin: string
  /** How far it had come before another took its place. */
  watermark: number | null
  profiles: { profileId: string; isWhole: boolean }[]
  /** In the order of time. */
  happenings: number[]
  sessions: number[]
  identifiers: number[]
  pending: number[]
}
