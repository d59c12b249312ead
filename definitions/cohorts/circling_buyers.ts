/**
 * Who went round and round before buying in the last week: a payment failed, or the cart was
 * emptied and filled again, and they bought all the same. What stood in their way stands in
 * everybody's.
 */

import { defineCohort } from '../../pipeline/definition/define.ts'

export default defineCohort({
  id: 'circling_buyers',
  who: {
    any: [
      {
        journey: 'checkout',
        reached: 'purchased',
        afterCycle: 'cart > checkout > cart',
        within: '7d',
      },
      {
        journey: 'checkout',
        reached: 'purchased',
        afterCycle: 'browsing > cart > browsing',
        within: '7d',
      },
    ],
  },
})
