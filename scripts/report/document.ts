/**
 * Data of the page: one plain JSON document. Nothing in it grows with the warehouse:
 * every list has a limit and the number of items left out.
 *
 * Instants are milliseconds since 1970-01-01 UTC, durations are milliseconds, rates are 0 to 1.
 * A rate or duration that nothing can be said about is null, never zero.
 */

import type { CubePart } from './cube/cube.ts'
import type { CorrectionPart, ErrorRatePart, NamedCount, QualityPart } from './document-quality.ts'

export type ReportDocument = {
  warehouse: string
  /** The event time up to which timeouts are decided; null when nothing has happened yet. */
  watermark: number | null
  /** When the last batch was recorded, and its number. */
  recordedAt: number | null
  batch: number
  journeys: JourneyPart[]
  /** Journeys of the warehouse that are not in this document. */
  journeysLeftOut: number
  /** Funnels that belong to no journey: their steps are events. */
  funnels: FunnelPart[]
  quality: QualityPart
  /** Why there is nothing to show, and the next command; null if events have been accepted. */
  empty: { text: string; command: string } | null
  /** Path of the property whose values can be chosen. */
  by: string | null
  /** Daily counts by name, see `cube-names.ts`: what a choice of days or source is recomputed from. */
  cubes: { [name: string]: CubePart }
  /** Bytes of their JSON, and the most that it may have. */
  cubeBytes: number
  cubeBytesMax: number
  sketches: SketchPart
  /** Other versions and cohorts that can be compared. */
  populations: PopulationPart[]
  /** Their daily counts, by `populationName`. */
  populationCubes: { [name: string]: CubePart }
}

export type PopulationPart = {
  kind: 'version' | 'cohort'
  name: string
  /** Its journey; null for a cohort, which has all. */
  journey: string | null
  /** Funnels of a version; null for a cohort, which has those of the live versions. */
  funnels: FunnelPart[] | null
  /** The `with` clause under which the daily views are its own. */
  sql: string
}

/** Durations by day and source, from which quantiles of a choice are worked out. */
export type SketchPart = {
  /** How often pairs of buckets were merged. */
  level: number
  /** Relative error of a quantile. */
  error: number
  bytes: number
  bytesMax: number
  /** Counts by bucket, see `cube-names.ts`. */
  cubes: { [name: string]: CubePart }
}

export type JourneyPart = {
  id: string
  version: number
  instanceCount: number
  profileCount: number
  /** Instances that are in a final state in every track. */
  completeCount: number
  /** Complete ones by outcome: lost where a track ended in a failure, converted where one ended in
   * a success and none in a failure. */
  convertedCount: number
  lostCount: number
  firstAt: number | null
  lastAt: number | null
  tracks: TrackPart[]
  funnels: FunnelPart[]
  /** Null when it was never asked to take an event. */
  errorRate: ErrorRatePart | null
  /** Latest day first; sessions, which belong to no journey, too. */
  corrections: CorrectionPart[]
  correctionsLeftOut: number
}

export type TrackPart = {
  name: string
  initial: string
  /** Runs that began. */
  started: number
  states: StatePart[]
  ways: WayPart[]
  /** Ways that are not listed, and how often they were taken. */
  waysLeftOut: Remainder
  refusals: RefusalPart[]
  refusalsLeftOut: number
  cycles: CyclePart[]
  /** Cycles (paths) that are not listed, and how often they were walked. */
  cyclesLeftOut: Remainder
  durations: DurationPart[]
  dropOffs: DropOffPart[]
  dropOffsLeftOut: Remainder
  /** States entered more than once, those most often first. */
  rework: ReworkPart[]
  standing: StandingPart
  variants: VariantPart[]
  /** Whole paths that are not listed, and the instances that walked them. */
  variantsLeftOut: Remainder
}

export type Remainder = { paths: number; times: number }

export type StatePart = {
  name: string
  isFinal: boolean
  /** Null unless the state is final. */
  outcome: 'success' | 'failure' | 'neutral' | null
  /** Stays that began, and those that have not ended. */
  entered: number
  /** Null where a choice of days or source leaves it unknown, as people are not sums. */
  inside: number | null
  profileCount: number | null
}

/** How people moved from one state to another. */
export type WayPart = {
  from: string
  to: string
  cause: 'event' | 'timeout'
  count: number
  /** Null where a choice of days or source leaves it unknown. */
  profileCount: number | null
  /** Share of all transitions out of `from`. */
  probability: number | null
  /** Share of all stays in `from`; the difference from the share of transitions is still inside. */
  shareOfStays: number | null
  medianMs: number | null
  /** Commonest first; none for a timeout. */
  events: NamedCount[]
}

/** Events a journey knows and refused in a state. */
export type RefusalPart = { state: string; event: string; reason: string; count: number }

export type CyclePart = {
  path: string[]
  count: number
  profileCount: number
  medianMs: number | null
  p90Ms: number | null
  totalMs: number
  convertedRate: number | null
  /** People who went round and came to a failure. */
  lostCount: number
  laps: LapPart[]
}

export type LapPart = { lap: number; instanceCount: number; convertedRate: number | null }

export type DurationPart = {
  state: string
  inside: number
  /** Open stays longer than the age by which nine in ten have left; the longest began at `since`. */
  stuck: number
  since: number | null
  /** The first few, by the 1-based number of the visit. An age that is not reached is null. */
  visits: { visit: number; completed: number; medianMs: number | null; p90Ms: number | null }[]
  /** Null where later visits are left out and it is not known how many. */
  visitsLeftOut: number | null
  /** Share still inside, by age; empty where no stay has ended. */
  survival: AgePoint[]
  /** Greatest relative error of the ages; 0 where they are exact. */
  error: number
}

/** Point of a curve that stays level up to the next one. */
export type AgePoint = [ageMs: number, share: number]

/** Next step of runs after a drop-off; null while nothing has happened. */
export type DropOffPart = {
  kind: 'timed_out' | 'went_back' | 'failed'
  from: string
  to: string
  nextCause: string | null
  nextEvent: string | null
  nextState: string | null
  count: number
  /** Share of the drop-offs of this kind on this way. */
  share: number
  medianMs: number | null
}

export type ReworkPart = {
  state: string
  entries: number
  /** Entries from the state itself, and those that came back through others. */
  selfLoops: number
  repeats: number
  /** Runs that were in the state, and those that entered it more than once. */
  instances: number
  reworked: number
  /** Share of the entries that are not a first one. */
  rate: number
}

/** How many stood in each state at the end of each day. */
export type StandingPart = {
  days: number[]
  daysLeftOut: number
  series: { state: string; counts: number[] }[]
}

export type VariantPart = {
  path: string[]
  /** Behind the path, when it is too long to be shown. */
  statesLeftOut: number
  count: number
  profileCount: number | null
  coverage: number
  cumulative: number
}

export type FunnelPart = {
  name: string
  /** Steps are states of the journey, or events. */
  stepsAre: 'states' | 'events'
  /** `instances`, `attempts`, `profiles` or `sessions`. */
  countBy: string
  /** Null without a window. */
  withinMs: number | null
  /** Options in force, as a sentence. */
  options: string
  /** For the whole funnel; null without a window. */
  matured: MaturedPart | null
  steps: FunnelStep[]
  /** Share of all entries that has converted, by age. */
  byAge: AgePoint[]
  /** Latest days of entry. */
  daily: FunnelDay[]
  bySource: FunnelSource[]
}

/** Units that entered on a day. `matured` and `rate` are null without a window. */
export type FunnelDay = {
  day: number
  converted: number
  pending: number
  dropped: number
  matured: number | null
  rate: number | null
}

/** Units by the source of the entry, of the first session, or of the last session. */
export type FunnelSource = {
  touch: 'entry' | 'first' | 'last'
  /** Null where it is unknown. */
  source: string | null
  entered: number
  converted: number
  matured: number | null
  rate: number | null
}

/** Units that entered at least one window before the watermark, and how many of them converted. */
export type MaturedPart = {
  count: number
  converted: number
  /** Null when nobody is matured, and for a first step. */
  rate: number | null
  /** Wilson's interval, 95 %. */
  low: number | null
  high: number | null
}

/** Those who reached a step, by what became of them in the end: the three add up. */
export type FunnelStep = {
  step: string
  isOptional: boolean
  reached: number
  converted: number
  dropped: number
  /** May still convert: their window is open. */
  pending: number
  /** Matured units that reached the step before, and how many of them reached this one. */
  matured: MaturedPart | null
  /** From the step before. */
  medianMs: number | null
  p90Ms: number | null
}
