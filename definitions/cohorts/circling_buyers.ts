/**
 * People who went in circles before buying in the last week: a payment failed, or the cart was
 * emptied and filled again. Other people meet the same obstacles and may not buy.
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
