/** Time between the steps of a funnel, as a unit's first attempt took them. */

import type { FunnelTables } from './analysis-funnel.ts'

/** Time since the step before in the first attempt that reached a step; undefined for none. */
export function sincePrevious(
  tables: FunnelTables,
  attempts: { attempt_id: string; attempt_no: number }[],
  stepNo: number,
): number | null | undefined {
  const came = attempts
    .flatMap((attempt) => {
      const steps = tables.attemptSteps
        .filter(({ attempt_id }) => attempt_id === attempt.attempt_id)
        .sort((a, b) => a.step_no - b.step_no)
      const i = steps.findIndex((one) => one.step_no === stepNo)
      const at = steps[i]?.reached_at
      if (at === undefined) return []
      const before = steps[i - 1]?.reached_at
      const ms = before === undefined ? null : Math.floor((at - before) / 1_000)
      return [{ at, no: attempt.attempt_no, ms }]
    })
    .sort((a, b) => a.at - b.at || a.no - b.no)
  return came[0]?.ms
}
