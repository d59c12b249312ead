/** Names of the cubes of a document, of their paths and of their kinds. */

export const cubeName = {
  ways: (journey: string, track: string) => `ways ${journey} ${track}`,
  cycles: (journey: string, track: string) => `cycles ${journey} ${track}`,
  paths: (journey: string, track: string) => `paths ${journey} ${track}`,
  funnel: (journey: string | null, funnel: string) => `funnel ${journey ?? ''} ${funnel}`,
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
