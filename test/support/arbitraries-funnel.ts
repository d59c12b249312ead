/** Random valid funnels over the events and journeys of `arbitraries.ts`. */

import fc from 'fast-check'
import {
  type ClickhouseMode,
  type EventFunnel,
  type EventStep,
  type Exclusion,
  type JourneyFunnel,
  CLICKHOUSE_MODES,
  ENTRIES,
  ORDERS,
  TIES,
} from '../../pipeline/definition/funnel.ts'
import { journey } from './arbitraries.ts'

const name = fc.constantFrom('A', 'B', 'C', 'D', 'N')
const within = fc.constantFrom('10m', '20m', '40m', '2h')
const where = fc.constantFrom<NonNullable<EventStep['where']>>(
  { property: 'v', eq: 1 },
  { field: 'source', eq: 'web' },
  { not: { property: 'v', exists: true } },
  {
    any: [
      { context: 'campaign.source', eq: 1 },
      { field: 'name', in: ['A', 'C'] },
    ],
  },
)
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 5 })

/** Removes undefined members. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

const plainStep: fc.Arbitrary<EventStep> = fc
  .record({ event: name, where: seldom(where) })
  .map((step) => compact(step) as EventStep)

const limits = fc
  .record({
    within: seldom(within),
    minGap: seldom(fc.constantFrom('10m', '1ms')),
    optional: seldom(fc.constant(true)),
  })
  .map(compact)

/** Limits where they are allowed: not on the first step, and the last step is not optional. */
const steps: fc.Arbitrary<EventStep[]> = fc
  .array(fc.tuple(plainStep, limits), { minLength: 1, maxLength: 4 })
  .map((list) =>
    list.map(([step, limited], i): EventStep => {
      if (i === 0) return step
      const { optional, ...rest } = limited as Omit<EventStep, 'event'>
      const isOptional = optional === true && i < list.length - 1
      return { ...step, ...rest, ...(isOptional ? { optional: true } : {}) }
    }),
  )

function exclusions(count: number): fc.Arbitrary<Exclusion[] | undefined> {
  if (count < 2) return fc.constant(undefined)
  const between = fc
    .tuple(fc.integer({ min: 1, max: count - 1 }), fc.integer({ min: 2, max: count }))
    .filter(([from, to]) => from < to)
  const exclusion = fc
    .record({
      event: name,
      where: seldom(where),
      between: seldom(between),
      effect: fc.constantFrom('end-attempt' as const, 'end-attempt' as const, 'remove-profile'),
    })
    .map((one) => compact(one) as Exclusion)
  return seldom(fc.array(exclusion, { minLength: 1, maxLength: 2 }))
}

const native: fc.Arbitrary<EventFunnel> = fc
  .record({ list: steps, order: fc.constantFrom(...ORDERS) })
  .chain(({ list, order }) =>
    fc
      .record({
        within,
        entry: fc.constantFrom(...ENTRIES),
        count: fc.constantFrom('attempts' as const, 'profiles' as const, 'sessions' as const),
        exclude: exclusions(list.length),
        holdConstant: seldom(
          fc.constantFrom<string[]>(
            ['properties.k'],
            ['properties.v', 'context.campaign.source'],
            ['source'],
          ),
        ),
        ties: fc.constantFrom(...TIES),
      })
      .map((options): EventFunnel => {
        const plain = list.map(({ event, where: asked }) => compact({ event, where: asked }))
        const all = { id: 'f', steps: order === 'any' ? plain : list, order, ...options }
        return compact(all) as EventFunnel
      }),
  )

const clickhouse: fc.Arbitrary<EventFunnel> = fc
  .record({
    list: fc.array(plainStep, { minLength: 1, maxLength: 4 }),
    within,
    modes: fc
      .subarray<ClickhouseMode>([...CLICKHOUSE_MODES])
      .filter((modes) => !modes.includes('allow_reentry') || modes.includes('strict_order')),
  })
  .map(({ list, within: whole, modes }) => ({
    id: 'f',
    steps: list,
    within: whole,
    semantics: { clickhouse: modes },
  }))

const posthog: fc.Arbitrary<EventFunnel> = steps.chain((list) =>
  fc
    .record({
      within,
      order: fc.constantFrom('sequential' as const, 'strict' as const),
      exclude: exclusions(list.length),
    })
    .map(({ exclude, ...rest }) => ({
      id: 'f',
      steps: list.map(({ within: _within, minGap: _gap, ...step }) => step),
      ...rest,
      ...(exclude === undefined
        ? {}
        : { exclude: exclude.map(({ effect: _effect, ...one }) => one) }),
      semantics: 'posthog' as const,
    })),
)

export const funnel: fc.Arbitrary<EventFunnel> = fc.oneof(
  { weight: 4, arbitrary: native },
  { weight: 1, arbitrary: clickhouse },
  { weight: 1, arbitrary: posthog },
)

/** Funnels over the states of the random journeys. */
const journeyFunnel: fc.Arbitrary<JourneyFunnel> = fc
  .record({
    states: fc.array(fc.tuple(fc.constantFrom('s0', 's1', 's2', 's3', 'done'), limits), {
      minLength: 1,
      maxLength: 4,
    }),
    within: seldom(within),
    order: fc.constantFrom('sequential' as const, 'strict' as const),
    entry: fc.constantFrom(...ENTRIES),
  })
  .map(({ states, ...options }) => {
    const listed = states.map(([state, limited], i) => {
      if (i === 0) return { state }
      const { optional, ...rest } = limited as Omit<EventStep, 'event'>
      return { state, ...rest, ...(optional && i < states.length - 1 ? { optional } : {}) }
    })
    return compact({ steps: listed, ...options }) as JourneyFunnel
  })

/** A journey, possibly with a funnel, and event funnels, as definitions. */
export const funnelled = {
  journey: fc
    .tuple(journey, fc.option(journeyFunnel, { nil: undefined, freq: 1 }))
    .map(([one, way]) => (way === undefined ? one : { ...one, funnels: { way } })),
  funnels: fc
    .array(funnel, { maxLength: 2 })
    .map((list) => list.map((one, i) => ({ ...one, id: `f${i}` }))),
}
