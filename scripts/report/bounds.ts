/** How much of each list a page carries. What is beyond is counted, and said. */

export const JOURNEYS_MAX = 12
/** Ways to choose from, of which the page has `WAYS_MAX`. */
export const WAYS_READ_MAX = 5_000
export const WAYS_MAX = 300
export const EVENTS_PER_WAY_MAX = 6
export const REFUSALS_MAX = 100
export const FUNNELS_MAX = 12
export const FUNNEL_STEPS_MAX = 64
export const CYCLES_MAX = 100
export const LAPS_MAX = 6
export const VISITS_MAX = 3
export const VARIANTS_MAX = 200
export const PATH_STATES_MAX = 40
export const DAYS_MAX = 400
/** Sources, and values of the property of `--by`, that keep their names. */
export const VALUES_MAX = 12
/** JSON of all daily counts of a page. */
export const CUBE_BYTES_MAX = 300_000
/** Days times states of one track. */
export const STANDING_POINTS_MAX = 8_000
export const CORRECTIONS_MAX = 60
