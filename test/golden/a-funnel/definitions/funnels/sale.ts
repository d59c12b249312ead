/** From a look to a payment within two hours, which follows the look by no more than one. */

import type { EventFunnel } from '../../../../../pipeline/definition/funnel.ts'

export default {
  id: 'sale',
  steps: [
    'Product Viewed',
    { event: 'Product Added', optional: true },
    { event: 'Order Completed', within: '1h' },
  ],
  within: '2h',
  exclude: [{ event: 'Product Removed' }],
} satisfies EventFunnel
