/** Scratch warehouses: where a replay derives tables before they are compared or taken over. */

import type { OpenDifference } from './remote-difference.ts'
import type { Warehouse } from './warehouse.ts'

/** A warehouse beside another, for the time of a recomputation. */
export type Scratch = {
  /** Not opened. What an interrupted recomputation left is still in it. */
  warehouse: () => Warehouse
  /** Opens a comparison of it with a remote warehouse. */
  openDifference: OpenDifference
  /** Removes it. */
  discard: () => Promise<void>
}
