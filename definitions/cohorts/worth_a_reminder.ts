/**
 * People who abandoned a cart a while ago, have never bought, and have not come back by a reminder.
 */

import { defineCohort } from '../../pipeline/definition/define.ts'

export default defineCohort({
  id: 'worth_a_reminder',
  who: {
    all: [
      { journey: 'checkout', in: 'abandoned', dwell: { gte: '6h' } },
      { not: { journey: 'checkout', reached: 'purchased' } },
      {
        not: {
          journey: 'checkout',
          reached: 'cart',
          where: { field: 'name', eq: 'Email Link Clicked' },
        },
      },
    ],
  },
})
