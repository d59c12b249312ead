/** DuckDB resource limits. DuckDB spills what exceeds the memory. */

export type Means = { memory: string; threads: number }

/** A run: the other core derives, and a second thread of DuckDB would only spin while the first
 * commits. The memory holds the row groups of a large transaction. */
export const RUNNING: Means = { memory: '512MB', threads: 1 }
/** A replay, for each of its two files. */
export const REBUILDING: Means = { memory: '512MB', threads: 1 }
/** Queries: an analysis reads the whole history at once. */
export const ASKING: Means = { memory: '1GB', threads: 2 }
