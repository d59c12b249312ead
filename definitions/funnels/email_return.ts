/**
 * Value of a reminder: how many email clicks lead to an order within three days? Several clicks in
 * a row count as one return, from the last click.
 */

import '../events.ts'
import { defineFunnel } from '../../pipeline/definition/define.ts'

export default defineFunnel({
  id: 'email_return',
  steps: [
    'Email Link Clicked',
    { event: 'Product Added', optional: true },
    { event: 'Checkout Started', within: '1d' },
    { event: 'Order Completed', within: '1h' },
  ],
  within: '3d',
  entry: 'latest',
})
