/**
 * Who left a cart behind a while ago, has never bought, and did not come back by a reminder yet.
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
