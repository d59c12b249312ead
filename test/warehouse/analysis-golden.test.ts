/** Analysis views over small histories, with rows computed by hand. */

import { afterAll, beforeAll, test } from 'vitest'
import type { Journey } from '../../pipeline/definition/journey.ts'
import type { Harness } from '../support/dump.ts'
import { expectTable } from '../support/expect-table.ts'
import { tell } from '../support/histories/history.ts'

const order: Journey = {
  id: 'order',
  version: 1,
  initial: 'cart',
  startOn: ['Added'],
  states: {
    cart: { on: { Checkout: 'checkout', Removed: 'cart' }, after: { '1h': 'idle' } },
    checkout: { on: { Paid: 'paid', Failed: 'cart' } },
    idle: { on: { Back: 'cart' } },
    paid: { type: 'final' },
  },
}

/** u1 pays at the third attempt, u2 and u3 are idle at the end. 1 March 2026 is a Sunday. */
const HISTORY = `
  at         user_id  anonymous_id  source  event
  10:00      u1       -             web     Added
  10:10      u1       -             web     Checkout
  10:12      u1       -             web     Failed
  10:20      u1       -             ios     Checkout
  10:21      u1       -             ios     Failed
  10:30      u1       -             ios     Checkout
  10:35      u1       -             ios     Paid
  11:00      u2       -             web     Added
  11:05      u2       -             web     Removed
  11:06      u2       -             web     Added
  13:05      u2       -             web     Back
  +1d,09:00  u3       -             web     Added
  +1d,09:30  u3       -             web     Checkout
  +1d,09:35  u3       -             web     Failed
  +1d,12:00  -        a9            ios     Seen
  +2d,09:00  u1       -             web     Seen
`

let history: Harness
beforeAll(async () => {
  history = await tell(HISTORY, { journeys: [order], watermark: '+3d,08:00' })
})
afterAll(() => history.warehouse.close())

const expectRows = (view: string, table: string, harness = history) =>
  expectTable(harness.warehouse, view, table)

test('cycle_summary returns after which cycles people are lost', () =>
  expectRows(
    'cycle_summary',
    `
    path                    cycle_count  profile_count  instance_count  length  anchor
    cart > checkout > cart  3            2              2               2       cart
    cart > cart             1            1              1               1       cart
    cart > idle > cart      1            1              1               2       cart`,
  ))

test('cycle_summary returns the duration and cost of a cycle', () =>
  expectRows(
    'cycle_summary',
    `
    path                    median_duration_min  p90_duration_min  total_duration_min  converted_count  converted_rate  lost_count  pending_count
    cart > checkout > cart  12                   35                56                  1                0.5             0           1
    cart > cart             5                    5                 5                   0                0               0           1
    cart > idle > cart      120                  120               120                 0                0               0           1`,
  ))

test('laps returns how much another lap helps', () =>
  expectRows(
    'laps',
    `
    path                    lap_no  instance_count  converted_count  converted_rate  leaving_count  leaving_converted_count  median_time_to_convert_min
    cart > checkout > cart  1       2               1                0.5             1              0                        23
    cart > checkout > cart  2       1               1                1               1              1                        14
    cart > cart             1       1               0                0               1              0                        -
    cart > idle > cart      1       1               0                0               1              0                        -`,
  ))

test('rework distinguishes self-loops from repeats', () =>
  expectRows(
    'rework',
    `
    state     entry_count  self_loop_count  repeat_count  instance_count  reworked_instance_count  profile_count  rework_rate
    cart      8            1                4             3               3                        3              0.625
    checkout  4            0                2             2               1                        2              0.5
    idle      3            0                1             2               1                        2              0.333
    paid      1            0                0             1               0                        1              0`,
  ))

test('survival counts open stays until the watermark', () =>
  expectRows(
    'survival',
    `
    state     age_ms   at_risk  left_count  share_inside
    cart      300000   8        1           0.875
    cart      480000   7        1           0.75
    cart      540000   6        1           0.625
    cart      600000   5        1           0.5
    cart      1800000  4        1           0.375
    cart      3600000  3        3           0
    checkout  60000    4        1           0.75
    checkout  120000   3        1           0.5
    checkout  300000   2        2           0
    idle      3600000  3        1           0.667`,
  ))

test('state_durations returns the ages by which half and nine in ten have left', () =>
  expectRows(
    'state_durations',
    `
    state     visit  is_final  completed_count  median_min  p90_min  still_inside_count
    cart      1      false     3                10          30       0
    cart      2      false     3                60          60       0
    cart      3      false     2                9           60       0
    checkout  1      false     2                2           5        0
    checkout  2      false     1                1           1        0
    checkout  3      false     1                5           5        0
    idle      1      false     1                60          -        1
    idle      2      false     0                -           -        1
    paid      1      true      0                -           -        1`,
  ))

test('stuck returns nobody where fewer than nine in ten have left', () =>
  expectRows(
    'stuck',
    `
    state  profile_id  inside_min  p90_min`,
  ))

test('stuck returns people who stay longer than nine in ten did', async () => {
  const lines = Array.from(
    { length: 10 },
    (_, i) => `10:00  u${i}  Added\n10:1${i}  u${i}  Checkout`,
  )
  const table = ['at  user_id  event', ...lines, '10:10  u10  Added', '10:30  u11  Added']
  const waiting = await tell(table.join('\n'), { journeys: [order], watermark: '10:40' })
  await expectRows(
    'stuck',
    `
    state  profile_id   visit  inside_min  p90_min
    cart   user_id:u10  1      30          19`,
    waiting,
  )
  await waiting.warehouse.close()
})

test('daily_states returns every day, with or without changes', () =>
  expectRows(
    'daily_states',
    `
    day         state     entered_count  exited_count  instance_count
    2026-03-01  cart      6              6             0
    2026-03-02  cart      2              2             0
    2026-03-03  cart      0              0             0
    2026-03-04  cart      0              0             0
    2026-03-01  checkout  3              3             0
    2026-03-02  checkout  1              1             0
    2026-03-03  checkout  0              0             0
    2026-03-04  checkout  0              0             0
    2026-03-01  idle      2              1             1
    2026-03-02  idle      1              0             2
    2026-03-03  idle      0              0             2
    2026-03-04  idle      0              0             2
    2026-03-01  paid      1              0             1
    2026-03-02  paid      0              0             1
    2026-03-03  paid      0              0             1
    2026-03-04  paid      0              0             1`,
  ))

test('transition_matrix returns shares of transitions and of stays', () =>
  expectRows(
    'transition_matrix',
    `
    from_state  to_state  cause    transition_count  profile_count  probability  share_of_stays
    -           cart      start    3                 3              1            -
    cart        checkout  event    4                 2              0.5          0.5
    cart        cart      event    1                 1              0.125        0.125
    cart        idle      timeout  3                 2              0.375        0.375
    checkout    cart      event    3                 2              0.75         0.75
    checkout    paid      event    1                 1              0.25         0.25
    idle        cart      event    1                 1              1            0.333`,
  ))

test('path_variants returns whole paths and how many instances they cover', () =>
  expectRows(
    'path_variants',
    `
    path                                                        length  instance_count  coverage  cumulative_coverage
    cart > cart > idle > cart > idle                            4       1               0.333     0.333
    cart > checkout > cart > checkout > cart > checkout > paid  6       1               0.333     0.667
    cart > checkout > cart > idle                               3       1               0.333     1`,
  ))

test('next_after_drop_off returns what follows a timeout and a step back', () =>
  expectRows(
    'next_after_drop_off',
    `
    drop_off   from_state  to_state  next_cause  next_event  next_state  drop_off_count  profile_count  share  median_next_after_min
    timed_out  cart        idle      event       Back        cart        1               1              0.333  60
    timed_out  cart        idle      -           -           -           2               2              0.667  -
    went_back  checkout    cart      event       Checkout    checkout    2               1              0.667  8
    went_back  checkout    cart      timeout     -           idle        1               1              0.333  60
    went_back  cart        cart      timeout     -           idle        1               1              1      60
    went_back  idle        cart      timeout     -           idle        1               1              1      60`,
  ))

test('channel_switches counts changes of source within an instance', () =>
  expectRows(
    'channel_switches',
    `
    from_source  to_source  switch_count  instance_count  profile_count
    web          ios        1             1               1`,
  ))

test('retention returns who came back in a week, and in that week or later', () =>
  expectRows(
    'retention',
    `
    cohort_week  week_no  profile_count  active_count  rolling_count  n_day_rate  rolling_rate
    2026-02-23   0        2              2             2              1           1
    2026-02-23   1        2              1             1              0.5         0.5
    2026-03-02   0        2              2             2              1           1`,
  ))

test('state_error_rate compares refused events with all events', () =>
  expectRows(
    'state_error_rate',
    `
    day         reason        rejected_count  attempted_count  error_rate
    2026-03-01  guard_failed  0               9                0
    2026-03-01  not_accepted  1               9                0.111
    2026-03-02  guard_failed  0               2                0
    2026-03-02  not_accepted  0               2                0`,
  ))

test('recognition_rate distinguishes people from devices', () =>
  expectRows(
    'recognition_rate',
    `
    day         source  event_count  person_event_count  event_rate  session_count  person_session_count  profile_count  person_count
    2026-03-01  web     11           11                  1           3              3                     2              2
    2026-03-02  web     3            3                   1           1              1                     1              1
    2026-03-02  ios     1            0                   0           1              0                     1              0
    2026-03-03  web     1            1                   1           1              1                     1              1`,
  ))

test('calendar returns every day and the Monday of its week', () =>
  expectRows(
    'calendar',
    `
    day         week        day_no  week_no
    2026-03-01  2026-02-23  20513   2930
    2026-03-02  2026-03-02  20514   2931
    2026-03-03  2026-03-02  20515   2931
    2026-03-04  2026-03-02  20516   2931`,
  ))

/** Sunday's events of u1 and of a device. On Monday, one more event of Sunday, and the device's
 * owner. */
const CORRECTED = `
  at         user_id  anonymous_id  event
  10:00      u1       -             Added
  10:10      u1       -             Checkout
  12:00      -        a2            Added
  +1d,09:00  u2       -             Added
  10:05      u1       -             Removed
  +1d,10:00  u3       a2            Seen
`

test('corrections return which day changed, by how much and why', async () => {
  const corrected = await tell(CORRECTED, { journeys: [order] })
  await expectRows(
    'corrections_by_day',
    `
    day         view_name    batch  added_count  removed_count  net_change  late_event_count  identity_count  rebuilt_count
    2026-03-01  transitions  5      2            1              1           1                 0               0
    2026-03-01  cycles       5      1            0              1           0                 0               0
    2026-03-01  sessions     5      1            1              0           1                 0               0
    2026-03-01  transitions  6      2            2              0           0                 2               0
    2026-03-01  sessions     6      1            1              0           0                 1               0`,
    corrected,
  )
  await expectRows(
    'late_corrections',
    `
    view_name       superseded_because  how_late_min  batch
    transitions     late_event          1370          5
    states          late_event          1380          5
    sessions        late_event          1380          5
    transitions     identity            1320          6
    transitions     identity            1260          6
    states          identity            1320          6
    states          identity            1260          6
    sessions        identity            1320          6
    event_profiles  identity            1320          6
    identities      identity            1320          6`,
    corrected,
  )
  await corrected.warehouse.close()
})

test('identity_conflict_kinds returns between which namespaces links are refused', async () => {
  const refused = await tell(`
    at     user_id  email  event
    10:00  u1       m1     Seen
    10:01  u2       m1     Seen
    10:02  u3       m1     Seen
  `)
  await expectRows(
    'identity_conflict_kinds',
    `
    kept_namespace  refused_namespace  conflict_count  kept_count  refused_count
    user_id         email              2               2           1`,
    refused,
  )
  await refused.warehouse.close()
})
