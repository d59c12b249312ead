/** What DuckDB may take of the machine; what is beyond the memory, it spills. */

export type Means = { memory: string; threads: number }

/** For those who derive and commit: the other core is theirs, and while one thread of DuckDB's
 * commits, a second would only spin. The memory is enough for a batch, whatever the history. */
export const RUNNING: Means = { memory: '128MB', threads: 1 }
/** For those who derive a version again, of each of the two files. */
export const REBUILDING: Means = { memory: '160MB', threads: 1 }
/** For those who only ask: an analysis goes over all that has happened at once. */
export const ASKING: Means = { memory: '1GB', threads: 2 }
