/** Scratch warehouses: where a replay derives tables before they are compared or taken over. */

import type { OpenDifference } from './remote-difference.ts'
import type { Warehouse } from './warehouse.ts'

/** Temporary warehouse beside another one, for a replay. */
export type Scratch = {
  /** Returns the warehouse, closed. It contains what an interrupted replay left. */
  warehouse: () => Warehouse
  /** Opens a comparison of it with a remote warehouse. */
  openDifference: OpenDifference
  /** Deletes it. */
  discard: () => Promise<void>
}
