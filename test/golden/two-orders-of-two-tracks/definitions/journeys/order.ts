/** An order: paid and delivered, in either order, one instance an `order_id`. */

import type { Journey } from '../../../../../pipeline/definition/journey.ts'

export default {
  id: 'order',
  version: 1,
  type: 'parallel',
  key: { property: 'order_id' },
  startOn: ['Order Placed'],
  ignore: ['Order Placed'],
  states: {
    payment: {
      initial: 'due',
      states: {
        due: { on: { 'Payment Received': 'paid' }, after: { '7d': 'overdue' } },
        overdue: { on: { 'Payment Received': 'paid' } },
        paid: { type: 'final' },
      },
    },
    delivery: {
      initial: 'packing',
      states: {
        packing: {
          on: { 'Parcel Sent': [{ target: 'sent', guard: { in: 'payment.paid' } }, 'held'] },
        },
        held: { on: { 'Payment Received': 'sent' } },
        sent: { on: { 'Parcel Delivered': 'delivered', 'Parcel Returned': 'packing' } },
        delivered: { type: 'final' },
      },
    },
  },
} satisfies Journey
