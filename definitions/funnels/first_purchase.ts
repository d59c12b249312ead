/**
 * From the first look at a product to the first order of a profile: does a new customer buy, and
 * how soon? Who takes the last thing out of the cart has changed their mind.
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
