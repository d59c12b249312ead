/**
 * What a reminder is worth: of the clicks in an email, how many lead to an order within three days?
 * Several clicks in a row are one return, counted from the last.
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
