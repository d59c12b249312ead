/** A journey in two versions, for tests of releases. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Journey } from '../../../pipeline/definition/journey.ts'

/** Journey from looking to buying. Carts go cold after `patience`, and the newer version has more
 * guards. */
export const buying = (version: number, patience: string): Journey => ({
  id: 'buying',
  version,
  initial: 'looking',
  startOn: ['Product Viewed'],
  states: {
    looking: { on: { 'Product Added': 'cart' } },
    cart: {
      on: {
        'Product Removed': { target: 'looking', guard: { property: 'items_left', eq: 0 } },
        'Order Completed': { target: 'bought', guard: { property: 'value', gte: version * 10 } },
      },
      after: { [patience]: 'cold' },
    },
    cold: { on: { 'Product Added': 'cart' }, effects: [{ type: 'reminder' }] },
    bought: { type: 'final' },
  },
  restart: true,
  funnels: { purchase: { steps: ['looking', 'cart', 'bought'], within: '3d' } },
})

/** Creates a definitions folder with this journey only. */
export function definitionsIn(path: string, journey: Journey, gap?: string): string {
  const write = (file: string, definition: object) =>
    writeFileSync(join(path, file), `export default ${JSON.stringify(definition)}\n`)
  mkdirSync(join(path, 'journeys'), { recursive: true })
  write(`journeys/${journey.id}.js`, journey)
  if (gap !== undefined) write('sessions.js', { gap })
  writeFileSync(join(path, 'package.json'), '{"type":"module"}')
  return path
}
