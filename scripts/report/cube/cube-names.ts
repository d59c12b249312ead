/** Names of the cubes of a document, of their paths and of their kinds. */

export const cubeName = {
  ways: (journey: string, track: string) => `ways ${journey} ${track}`,
  cycles: (journey: string, track: string) => `cycles ${journey} ${track}`,
  paths: (journey: string, track: string) => `paths ${journey} ${track}`,
  stays: (journey: string, track: string) => `stays ${journey} ${track}`,
  dwells: (journey: string, track: string) => `dwells ${journey} ${track}`,
  rounds: (journey: string, track: string) => `rounds ${journey} ${track}`,
  funnel: (journey: string | null, funnel: string) => `funnel ${journey ?? ''} ${funnel}`,
  steps: (journey: string | null, funnel: string) => `steps ${journey ?? ''} ${funnel}`,
  ages: (journey: string | null, funnel: string) => `ages ${journey ?? ''} ${funnel}`,
}

/** Path of a move in a cube; a start comes from the empty name. */
export const wayPath = ({ from, to, cause }: { from: string; to: string; cause: string }): string =>
  [cause, from, to].join(' > ')

/** Kind of a path that has not ended. */
export const RUNNING = 'running'

/** Ends the kind of a matured unit of a funnel; the rest is its outcome. */
export const MATURED = ' matured'

/** Name of the cube that has the counts of the seven days before as they were known then. */
export const thenName = (name: string): string => `then ${name}`

/** Name of a cube of another version or of a cohort. */
export const populationName = (population: { kind: string; name: string }, name: string): string =>
  `${population.kind} ${population.name} ${name}`

/** Path of the stays of a visit in their sketch. Visits beyond the last number share one. */
export const stayPath = (visit: number, state: string): string => `${visit} ${state}`

/** Kind of a bucket in a sketch: what became of it, and the number of the bucket. */
export const bucketKind = (kind: string, bucket: number): string => `${kind} ${bucket}`

/** Returns what `bucketKind` was made of. */
export function bucketOf(kind: string): [kind: string, bucket: number] {
  const [name = '', bucket = ''] = kind.split(' ')
  return [name, Number(bucket)]
}
