/**
 * From browsing to buying, with all steps back: products are removed, payments fail, carts are
 * abandoned and found again by a reminder. After a purchase, the next product view starts again.
 */

import '../events.ts'
import { defineJourney } from '../../pipeline/definition/define.ts'

export default defineJourney({
  id: 'checkout',
  version: 1,
  initial: 'browsing',
  startOn: ['Product Viewed', 'Product Added'],
  states: {
    browsing: {
      on: { 'Product Added': 'cart' },
      ignore: ['Product Viewed', 'Email Link Clicked'],
    },
    cart: {
      on: {
        'Checkout Started': { target: 'checkout', guard: { property: 'value', gte: 10 } },
        'Product Removed': [
          { target: 'browsing', guard: { property: 'items_left', eq: 0 } },
          { target: 'cart' },
        ],
      },
      after: { '24h': 'abandoned' },
      ignore: ['Product Viewed', 'Product Added', 'Email Link Clicked'],
    },
    checkout: {
      on: { 'Order Completed': 'purchased', 'Payment Failed': 'cart' },
      after: { '1h': 'abandoned' },
    },
    abandoned: {
      on: { 'Product Added': 'cart', 'Email Link Clicked': 'cart' },
      effects: [{ type: 'cart_reminder', within: '3d' }],
      ignore: ['Product Viewed'],
    },
    purchased: { type: 'final' },
  },
  restart: true,
  funnels: {
    purchase: { steps: ['browsing', 'cart', 'checkout', 'purchased'], within: '5d' },
  },
})
