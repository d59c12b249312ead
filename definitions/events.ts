/**
 * Events of a shop, with schemas for the properties that matter. Events with other names are
 * accepted too, and properties without a schema may have any value.
 */

import { z } from 'zod'
import { defineEvents } from '../pipeline/definition/events.ts'

const money = z.number().nonnegative().nullish()

const definitions = defineEvents({
  events: {
    'Page Viewed': null,
    Identify: null,
    'Product Viewed': null,
    'Product Added': z.object({ price: money }),
    'Product Removed': z.object({ items_left: z.number().int().nonnegative().nullish() }),
    'Checkout Started': z.object({ value: money }),
    'Payment Failed': null,
    'Order Completed': z.object({ value: money }),
    'Email Link Clicked': null,
    'Signed Up': null,
    'Email Verified': null,
    'Tutorial Step Completed': null,
    'Profile Completed': null,
    'Invite Sent': null,
    'Trial Started': null,
    'Subscription Started': null,
    'Payment Succeeded': null,
    'Invoice Payment Failed': null,
    'Subscription Cancelled': null,
    'Support Ticket Opened': null,
    'Support Ticket Closed': null,
  },
})

declare module '../pipeline/definition/define.ts' {
  interface EventNames extends Record<keyof typeof definitions.events, true> {}
}

export default definitions
