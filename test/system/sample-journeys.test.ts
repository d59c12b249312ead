/** Journeys of this project, each with a history. */

import { describe, test } from 'vitest'
import checkout from '../../definitions/journeys/checkout.ts'
import onboarding from '../../definitions/journeys/onboarding.ts'
import subscription from '../../definitions/journeys/subscription.ts'
import { check } from '../support/histories/history.ts'

describe('the journeys of this project', () => {
  test('checkout.ts goes in circles, is abandoned, resumed, and started again', () =>
    check(
      `
      at         user_id  event               props              ->  checkout
      10:00      u1       Product Viewed      -                      -
      10:01      u1       Product Added       -                      cart
      10:02      u1       Product Removed     {"items_left":0}       browsing
      10:03      u1       Product Added       -                      cart
      10:04      u1       Checkout Started    {"value":9}            !guard_failed
      10:05      u1       Checkout Started    {"value":10}           checkout
      10:06      u1       Payment Failed      -                      cart
      +1d,10:07  u1       Email Link Clicked  -                      cart
      +1d,10:08  u1       Checkout Started    {"value":10}           checkout
      +1d,10:09  u1       Order Completed     {"value":10}           purchased
      +1d,10:10  u1       Product Viewed      -                      -
      then user_id:u1 checkout browsing
      then user_id:u1 checkout purchased
    `,
      { journeys: [checkout] },
    ))

  test('onboarding.ts distinguishes fast from slow activation', () =>
    check(
      `
      at        user_id  event                    ->  onboarding
      10:00     u1       Signed Up                    -
      10:01     u1       Email Verified               verified
      10:01:05  u1       Tutorial Step Completed      -
      10:01:10  u1       Tutorial Step Completed      -
      10:01:20  u1       Tutorial Step Completed      hurried
      11:00     u2       Signed Up                    -
      11:01     u2       Email Verified               verified
      11:02     u2       Tutorial Step Completed      -
      11:03     u2       Tutorial Step Completed      -
      11:04     u2       Tutorial Step Completed      activated
      then user_id:u1 onboarding hurried
      then user_id:u2 onboarding activated
      then user_id:u3 onboarding stalled
      11:05     u3       Signed Up                    -
    `,
      { journeys: [onboarding], watermark: '+3d,11:05' },
    ))

  test('subscription.ts distinguishes customers who leave with an open ticket', () =>
    check(
      `
      at         user_id  event                   ->  subscription
      10:00      u1       Trial Started               -
      +2d,10:00  u1       Subscription Started        billing.active
      +3d,10:00  u1       Support Ticket Opened       support.waiting
      +4d,10:00  u1       Subscription Cancelled      billing.cancelled_in_anger+support.left
      +4d,10:00  u2       Trial Started               -
      then user_id:u1 subscription billing.cancelled_in_anger+support.left
      then user_id:u2 subscription billing.lapsed+support.content
    `,
      { journeys: [subscription], watermark: '+18d,10:00' },
    ))
})
