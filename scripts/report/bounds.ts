/** How much of each list a page carries. What is beyond is counted, and said. */

export const JOURNEYS_MAX = 12
/** Ways to choose from, of which the page has `WAYS_MAX`. */
export const WAYS_READ_MAX = 5_000
export const WAYS_MAX = 300
export const EVENTS_PER_WAY_MAX = 6
export const REFUSALS_MAX = 100
export const FUNNELS_MAX = 12
export const FUNNEL_STEPS_MAX = 64
/** Latest days of entry. */
export const FUNNEL_DAYS_MAX = 90
/** Per way to attribute. */
export const FUNNEL_SOURCES_MAX = 20
/** Steps between 0 and 100 % at which a curve has a point. */
export const CURVE_STEPS = 40
export const DROP_OFFS_MAX = 60
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
/** JSON of all sketches of durations, and rows of one of them. */
export const SKETCH_BYTES_MAX = 300_000
export const SKETCH_ROWS_MAX = 200_000
/** Other versions of a journey, cohorts, and JSON of the counts of all of them. */
export const VERSIONS_MAX = 2
export const COHORTS_MAX = 6
export const POPULATION_BYTES_MAX = 120_000
/** Days times states of one track. */
export const STANDING_POINTS_MAX = 8_000
export const CORRECTIONS_MAX = 60
