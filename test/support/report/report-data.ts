/** A small warehouse for reports, with a name that contains markup. */

import type { Journey } from '../../../pipeline/definition/journey.ts'
import { makeDefinitions } from '../../../pipeline/definition/load.ts'
import type { Warehouse } from '../../../pipeline/warehouse/warehouse.ts'
import { Random } from '../../../scripts/sample/random.ts'
import { Harness } from '../dump.ts'
import { emptyWarehouse } from '../reused-warehouse.ts'

export const EVIL = `</script><img src=x onerror="document.title='pwned'">`

/** Two journeys, so that one must be chosen; the second has two tracks. */
export const JOURNEYS: Journey[] = [
  {
    id: 'order',
    version: 1,
    initial: 'cart',
    startOn: ['Add'],
    states: {
      cart: { on: { Pay: 'paying' }, after: { '2h': 'lost' } },
      paying: { on: { Done: 'bought', [EVIL]: 'cart' }, after: { '1h': 'lost' } },
      lost: { on: { Add: 'cart' } },
      bought: { type: 'final' },
      refunded: { type: 'final' },
    },
    on: { Refund: { target: 'refunded', guard: { property: 'sum', gt: 0 } } },
    restart: true,
    funnels: { purchase: { steps: ['cart', 'paying', 'bought'], within: '1d' } },
  },
  {
    id: 'care',
    version: 3,
    type: 'parallel',
    startOn: ['Add'],
    states: {
      talk: {
        initial: 'quiet',
        states: { quiet: { on: { Call: 'busy' } }, busy: {} },
        on: { Hang: 'quiet' },
      },
      mood: {
        initial: 'fine',
        states: { fine: { on: { Call: 'cross' } }, cross: { on: { Done: 'fine' } } },
      },
    },
  },
]

/** Event funnel: who adds, pays and finishes within an hour. */
export const FUNNEL = { id: 'quick', steps: ['Add', 'Pay', 'Done'], within: '1h' }

const HOUR = 3_600_000
export const BASE = 1_772_323_200_000

/** Hours count from 1 March 2026. */
type Happening = [person: string, hours: number, event: string]

/** In arrival order. */
const HISTORY: Happening[] = [
  ['a', 10, 'Add'],
  ['a', 10.5, 'Pay'],
  ['a', 10.6, EVIL],
  ['a', 10.7, 'Pay'],
  ['a', 10.8, 'Done'],
  ['b', 11, 'Add'],
  ['b', 11.5, 'Pay'],
  ['b', 11.6, EVIL],
  ['c', 12, 'Add'],
  ['c', 12.1, EVIL],
  ['c', 12.2, 'Call'],
  ['d', 50, 'Add'],
  ['d', 50.5, 'Pay'],
]

/** Returns an open warehouse with that history, then the `late` events. The caller closes it. */
export async function reportWarehouse(
  late: Happening[] = [],
  warehouse = emptyWarehouse(),
): Promise<Warehouse> {
  const harness = new Harness(makeDefinitions({ journeys: JOURNEYS, funnels: [FUNNEL] }), warehouse)
  await harness.feed(HISTORY.map(lineOf))
  if (late.length > 0) await harness.feed(late.map(lineOf))
  return harness.warehouse
}

function lineOf([person, hours, name]: Happening): string {
  return JSON.stringify({
    event_id: `${person} ${hours}`,
    name,
    occurred_at: BASE + hours * HOUR,
    identifiers: { user_id: person },
  })
}

const NAMES = ['Add', 'Pay', 'Done', 'Call', 'Hang']
const SOURCES = ['web', 'ios', undefined]

/** Returns five days of events of the same journeys by so many people, from two sources and none. */
export function busyLines(people = 100): string[] {
  const random = new Random(3)
  // A person comes every half hour, mostly to add, pay and be done.
  return Array.from({ length: 1_000 }, (_, i) => {
    const [person, step] = [Math.floor(i / 4), i % 4]
    const name = random.between(0, 3) > 0 ? NAMES[step] : NAMES[random.between(0, 4)]
    return JSON.stringify({
      event_id: `e${i}`,
      name,
      occurred_at: BASE + person * 0.5 * HOUR + step * 0.2 * HOUR,
      source: SOURCES[random.between(0, 2)],
      properties: { plan: ['free', 'paid'][person % 2] },
      identifiers: { user_id: `p${person % people}` },
    })
  })
}

/** Returns an open warehouse with these events. */
export async function busyWarehouse(): Promise<Warehouse> {
  const definitions = makeDefinitions({ journeys: JOURNEYS, funnels: [FUNNEL] })
  const harness = new Harness(definitions, emptyWarehouse())
  await harness.feed(busyLines())
  return harness.warehouse
}
