/**
 * From the first product view to the first order of a profile: do new customers buy, and how soon?
 * Emptying the cart ends the attempt.
 */

import '../events.ts'
import { defineFunnel } from '../../pipeline/definition/define.ts'

export default defineFunnel({
  id: 'first_purchase',
  steps: ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed'],
  within: '7d',
  entry: 'first',
  count: 'profiles',
  exclude: [
    { event: 'Product Removed', where: { property: 'items_left', eq: 0 }, between: [2, 4] },
  ],
})
