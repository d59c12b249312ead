/** Reasons for superseding rows, by table. */

import type { Reason } from './changelog.ts'
import type { RowColumns, Rows } from './rows.ts'
import type { Ints } from '../../stages/growable-array.ts'
import type { SupersededBecause } from '../../warehouse/warehouse.ts'

/** `identity` for a row with another owner, otherwise the given reason. */
export class OwnerReason implements Reason {
  readonly #had: Ints
  readonly #has: Ints
  readonly #otherwise: SupersededBecause

  constructor(
    before: Rows<'event_profile' | 'identity'>,
    after: Rows<'event_profile' | 'identity'>,
    otherwise: SupersededBecause,
  ) {
    this.#had = before.columns.profile_id
    this.#has = after.columns.profile_id
    this.#otherwise = otherwise
  }

  of(row: number, newRow: number): SupersededBecause {
    const isSame = newRow >= 0 && this.#had.at(row) === this.#has.at(newRow)
    return isSame ? this.#otherwise : 'identity'
  }
}

/** `progress` for a session that only grew at its end. */
export class SessionReason implements Reason {
  readonly #had: RowColumns<'session'>
  readonly #has: RowColumns<'session'>

  constructor(before: Rows<'session'>, after: Rows<'session'>) {
    this.#had = before.columns
    this.#has = after.columns
  }

  of(row: number, newRow: number): SupersededBecause {
    const had = this.#had
    const has = this.#has
    if (newRow < 0) return 'late_event'
    if (had.profile_id.at(row) !== has.profile_id.at(newRow)) return 'identity'
    const isGrown = had.ended_at.at(row) < has.ended_at.at(newRow)
    const isSameStart = had.started_because.at(row) === has.started_because.at(newRow)
    return isGrown && isSameStart ? 'progress' : 'late_event'
  }
}

/** `progress` for a stay that only ended, otherwise the reason for refolding its profile. */
export class RefoldReason implements Reason {
  readonly #refolds: ReadonlyMap<number, { reason: SupersededBecause }>
  readonly #areStays: boolean
  /** Columns of stays, or of other rows with a profile. */
  readonly #was: RowColumns<'state'>
  readonly #is: RowColumns<'state'>

  constructor(
    refolds: ReadonlyMap<number, { reason: SupersededBecause }>,
    before: Rows,
    after: Rows,
  ) {
    this.#refolds = refolds
    this.#areStays = before.table === 'state'
    this.#was = before.columns as RowColumns<'state'>
    this.#is = after.columns as RowColumns<'state'>
  }

  of(row: number, newRow: number): SupersededBecause {
    if (this.#areStays && newRow >= 0 && this.#hasOnlyEnded(row, newRow)) return 'progress'
    return this.#refolds.get(this.#was.profile_id.at(row))?.reason ?? 'late_event'
  }

  #hasOnlyEnded(row: number, newRow: number): boolean {
    const was = this.#was
    const is = this.#is
    return (
      Number.isNaN(was.exited_at.at(row)) &&
      was.visit.at(row) === is.visit.at(newRow) &&
      was.entered_at.at(row) === is.entered_at.at(newRow) &&
      was.state.at(row) === is.state.at(newRow)
    )
  }
}
