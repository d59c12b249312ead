/** Quality of the data, as a part of the document. */

export type NamedCount = { name: string; count: number }

export type QualityPart = {
  read: number
  landed: number
  duplicates: number
  refused: NamedCount[]
  /** Sessions that have a person, of all. */
  recognitionRate: number | null
  conflicts: number
}

/** How a day's number in a view changed after the day was over. */
export type CorrectionPart = {
  day: number
  view: string
  added: number
  removed: number
  /** Rows restated, by reason. */
  lateEvents: number
  identity: number
  rebuilt: number
  /** When it last changed. */
  recordedAt: number | null
}

/** Refused events, of all that a journey was asked to take, on the latest and the worst day. */
export type ErrorRatePart = { latest: DayRate; worst: DayRate }
export type DayRate = { day: number; rejected: number; attempted: number; rate: number }
