/**
 * A subscription with two parallel tracks: billing and support. It distinguishes customers who
 * cancel with an open ticket from those who cancel without one.
 */

import '../events.ts'
import { defineJourney } from '../../pipeline/definition/define.ts'

export default defineJourney({
  id: 'subscription',
  version: 1,
  type: 'parallel',
  startOn: ['Trial Started', 'Subscription Started'],
  states: {
    billing: {
      initial: 'trial',
      states: {
        trial: {
          on: { 'Subscription Started': 'active' },
          after: { '14d': 'lapsed' },
        },
        active: {
          on: { 'Payment Succeeded': 'active', 'Invoice Payment Failed': 'past_due' },
          after: { '5w': 'past_due' },
        },
        past_due: {
          on: { 'Payment Succeeded': 'active' },
          after: { '30d': 'lapsed' },
          effects: [{ type: 'dunning_mail', within: '7d' }],
        },
        lapsed: { on: { 'Subscription Started': 'active' } },
        cancelled: { type: 'final', outcome: 'failure' },
        cancelled_in_anger: { type: 'final', outcome: 'failure' },
      },
      on: {
        'Subscription Cancelled': [
          { target: 'cancelled_in_anger', guard: { in: 'support.waiting' } },
          { target: 'cancelled' },
        ],
      },
    },
    support: {
      initial: 'content',
      states: {
        content: { on: { 'Support Ticket Opened': 'waiting' } },
        waiting: {
          on: { 'Support Ticket Closed': 'content', 'Support Ticket Opened': 'waiting' },
          after: { '14d': 'content' },
        },
        left: { type: 'final', outcome: 'failure' },
      },
      on: { 'Subscription Cancelled': 'left' },
      ignore: ['Support Ticket Closed'],
    },
  },
  ignore: ['Trial Started', 'Subscription Started', 'Payment Succeeded'],
  restart: true,
})
