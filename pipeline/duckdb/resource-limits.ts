/** DuckDB resource limits. DuckDB spills what exceeds the memory. */

export type Means = { memory: string; threads: number }

/** Limits of a run. The other core derives, and a second DuckDB thread would only spin while the
 * first commits. The memory holds the row groups of a large transaction. */
export const RUNNING: Means = { memory: '512MB', threads: 1 }
/** Limits of a replay, for each of its two files. */
export const REBUILDING: Means = { memory: '512MB', threads: 1 }
/** Limits of queries: an analysis reads the whole history at once. */
export const ASKING: Means = { memory: '1GB', threads: 2 }
