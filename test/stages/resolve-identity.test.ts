/** Identity resolution: how people are found, linked, refused and unlinked. */

import { describe, test } from 'vitest'
import { check } from '../support/histories/history.ts'

describe('sessions find their person', () => {
  test('a sign-in claims earlier and later events on the device', () =>
    check(`
      at     anonymous_id  user_id  ->  session  profile
      10:00  a1            -            e1       user_id:u1
      11:00  a1            u1           e2       user_id:u1
      12:00  a1            -            e3       user_id:u1
      12:00  a2            -            e4       anonymous_id:a2
    `))

  test('an unnamed session belongs to the latest earlier person, not to a later one', () =>
    check(`
      at     anonymous_id  user_id  ->  profile
      10:00  a1            u1           user_id:u1
      11:00  a1            -            user_id:u1
      12:00  a1            u2           user_id:u2
      13:00  a1            -            user_id:u2
    `))

  test('contested "nobody": unnamed sessions on a contested device belong to nobody', () =>
    check(
      `
      at     anonymous_id  user_id  ->  profile
      10:00  a1            u1           user_id:u1
      11:00  a1            -            anonymous_id:a1
      12:00  a1            u2           user_id:u2
    `,
      { identity: { contested: 'anonymous' } },
    ))

  test('a device of one person is not contested', () =>
    check(
      `
      at     anonymous_id  user_id  ->  profile
      10:00  a1            u1           user_id:u1
      11:00  a1            -            user_id:u1
    `,
      { identity: { contested: 'anonymous' } },
    ))

  test('a device that becomes contested changes the owner of its closed sessions', () =>
    check(
      `
      at     anonymous_id  user_id  ->  profile
      10:00  a1            u1           user_id:u1
      11:00  a1            -            anonymous_id:a1
      12:00  a1            u1           user_id:u1
      13:00  a1            u2           user_id:u2
    `,
      { identity: { contested: 'anonymous' } },
    ))

  test('contested "first": unnamed sessions belong to the first person', () =>
    check(
      `
      at     anonymous_id  user_id  ->  profile
      09:00  a1            -            user_id:u1
      10:00  a1            u1           user_id:u1
      12:00  a1            u2           user_id:u2
      13:00  a1            -            user_id:u1
    `,
      { identity: { contested: 'first' } },
    ))

  test('a device with too many people is shared, and its unnamed sessions belong to nobody', () =>
    check(
      `
      at     anonymous_id  user_id  ->  profile
      10:00  a1            u1           user_id:u1
      11:00  a1            -            anonymous_id:a1
      12:00  a1            u2           user_id:u2
      13:00  a1            u3           user_id:u3
    `,
      { identity: { maxPersonsPerDevice: 2 } },
    ))

  test('a session is named by its highest namespace, and by the last value of it', () =>
    check(
      `
      at     anonymous_id  user_id  email  ->  session  profile
      10:00  a1            -        m1         e1       user_id:u2
      10:01  a1            u1       -          e1       user_id:u2
      10:02  a1            u2       -          e1       user_id:u2
      10:03  a1            -        m2         e1       user_id:u2
    `,
      { identity: { exclusive: [] } },
    ))
})

describe('links make persons', () => {
  test('one link joins two identifiers', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile
      10:00  a1            -        m1         user_id:u1
      11:00  a2            u1       m1         user_id:u1
    `))

  test('a late bridge joins a chain and a fan-in, even alone in its batch', () =>
    check(
      `
      at     anonymous_id  user_id  email  phone  ->  profile
      10:00  a1            -        m1     -          user_id:u1
      10:01  a2            -        m2     -          user_id:u1
      10:02  a3            -        m1     p1         user_id:u1
      10:03  a4            -        m2     p1         user_id:u1
      10:04  a5            u1       -      p1         user_id:u1
    `,
      { identity: { person: ['user_id', 'email', 'phone'] } },
    ))

  test('a fan-out remains one person', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile
      10:00  a1            u1       m1         user_id:u1
      10:01  a2            u1       m2         user_id:u1
      10:02  a3            -        m2         user_id:u1
    `))

  test('two groups that share nothing remain separate', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile
      10:00  a1            u1       m1         user_id:u1
      10:01  a2            u2       m2         user_id:u2
      10:02  a3            -        m1         user_id:u1
    `))

  test('two users are never merged, and the first refusal is recorded', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile      refused
      10:00  a1            u1       m1         user_id:u1   -
      10:01  a2            u2       m1         user_id:u2   email:m1
      10:02  a3            -        m1         user_id:u1   -
      10:03  a2            u2       m1         user_id:u2   -
    `))

  test('an earlier link that arrives late decides first', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile      refused
      10:01  a1            u1       m1         user_id:u1   email:m1
      10:00  a2            u2       m1         user_id:u2   -
      10:02  a3            -        m1         user_id:u2   -
    `))

  test('three identifiers join in one event, and the smallest names the person', () =>
    check(
      `
      at     anonymous_id  user_id  email  phone  ->  profile
      10:00  a1            -        -      p1         email:m1
      10:01  a2            -        m1     -          email:m1
      10:02  a3            -        m2     p1         email:m1
      10:03  a4            -        m1     p1         email:m1
    `,
      { identity: { person: ['user_id', 'email', 'phone'] } },
    ))

  test('a link within one person is not refused', () =>
    check(
      `
      at     anonymous_id  user_id  email  phone  ->  profile      refused
      10:00  a1            u1       m1     -          user_id:u1   -
      10:01  a2            u1       -      p1         user_id:u1   -
      10:02  a3            -        m1     p1         user_id:u1   -
    `,
      { identity: { person: ['user_id', 'email', 'phone'] } },
    ))

  test('an event links by the priority of the other identifier', () =>
    check(
      `
      at     anonymous_id  phone  email  user_id  ->  profile      refused
      10:00  a1            -      m1     u2           phone:p1     -
      10:01  a2            p1     m1     u1           phone:p1     user_id:u1
      10:02  a3            p1     -      -            phone:p1     -
    `,
      { identity: { person: ['phone', 'email', 'user_id'] } },
    ))

  test('each exclusive namespace refuses by itself, if both sides hold it', () =>
    check(
      `
      at     anonymous_id  email  user_id  ->  profile      refused
      10:00  a1            m1     u1           email:m1     -
      10:01  a2            m1     u2           email:m1     user_id:u2
      10:02  a3            m2     u1           email:m2     user_id:u1
    `,
      { identity: { person: ['email', 'user_id'], exclusive: ['user_id', 'email'] } },
    ))

  test('a user id that contradicts an earlier merge is refused', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile      refused
      10:00  a1            u1       m1         user_id:u1   -
      10:01  a2            u2       m2         user_id:u2   -
      10:02  a3            u1       m2         user_id:u1   email:m2
    `))

  test('an old cookie seen again after a merge belongs to the merged person', () =>
    check(`
      at     anonymous_id  user_id  email  ->  profile
      10:00  a1            -        m1         user_id:u1
      11:00  a2            u1       m1         user_id:u1
      14:00  a1            -        -          user_id:u1
    `))
})

describe('corrections', () => {
  test('an alias links what an ordinary link may not', () =>
    check(`
      at     anonymous_id  user_id  alias                  ->  profile
      10:00  a1            u2       -                          user_id:u1
      10:01  a2            u1       user_id:u2,user_id:u1      user_id:u1
    `))

  test('an alias decides after the links of its own event', () =>
    check(`
      at     anonymous_id  user_id  email  alias                  ->  profile      refused
      10:00  a1            u2       m1     -                          user_id:u1   -
      10:01  a2            u1       m1     user_id:u2,user_id:u1      user_id:u1   email:m1
    `))

  test('an alias under the condition if_carried counts once an event carries its first id', () =>
    check(`
      at     anonymous_id  user_id  alias                             ->  profile
      10:00  a1            u2       -                                     user_id:u1
      10:01  a2            u1       user_id:u2,user_id:u1,if_carried      user_id:u1
      10:02  a3            u1       user_id:u0,user_id:u1,if_carried      user_id:u1
      10:03  a4            u3       user_id:u1,user_id:u3,if_carried      user_id:u1
    `))

  test('an event that carries the first id later than the alias counts, earlier or later', () =>
    check(`
      at     anonymous_id  user_id  alias                             ->  profile
      10:01  a2            u2       user_id:u1,user_id:u2,if_carried      user_id:u1
      11:00  a2            -        -                                     user_id:u1
      10:02  a3            u3       user_id:u2,user_id:u3,if_carried      user_id:u1
      12:00  a1            u1       -                                     user_id:u1
      09:00  a4            u1       -                                     user_id:u1
    `))

  test('an unlink cancels a conditional alias up to it, not one after it', () =>
    check(`
      at     anonymous_id  user_id  alias                             unlink                   ->  profile
      10:00  a1            u1       -                                 -                            user_id:u1
      10:01  a2            u2       user_id:u1,user_id:u2,if_carried  -                            user_id:u2
      10:02  a3            u2       -                                 user_id:u2,user_id:u1        user_id:u2
      10:00  a4            u3       -                                 -                            user_id:u3
      10:03  a5            u4       user_id:u3,user_id:u4,if_carried  user_id:u1,user_id:u3        user_id:u3
      10:04  a6            u4       -                                 -                            user_id:u3
    `))

  test('a plain alias beside a conditional one counts whether or not events carry it', () =>
    check(`
      at     anonymous_id  user_id  alias                             ->  profile
      10:00  a1            u2       user_id:u1,user_id:u2,if_carried      user_id:u1
      10:01  a2            u2       user_id:u1,user_id:u2                 user_id:u1
    `))

  test('an unlink separates what was linked up to it', () =>
    check(`
      at     anonymous_id  user_id  email  unlink               ->  profile
      10:00  a1            u1       m1     -                        user_id:u1
      10:01  a2            -        m1     -                        email:m1
      10:02  a3            u1       -      user_id:u1,email:m1      user_id:u1
    `))

  test('a link after the unlink links again', () =>
    check(`
      at     anonymous_id  user_id  email  unlink               ->  profile
      10:00  a1            u1       m1     -                        user_id:u1
      10:02  a3            u1       -      user_id:u1,email:m1      user_id:u1
      10:03  a1            u1       m1     -                        user_id:u1
      10:04  a2            -        m1     -                        user_id:u1
    `))

  test('an unlink that arrives late keeps the links after it', () =>
    check(`
      at     anonymous_id  user_id  email  unlink               ->  profile
      10:00  a1            u1       m1     -                        user_id:u1
      10:03  a1            u1       m1     -                        user_id:u1
      10:04  a2            -        m1     -                        user_id:u1
      10:02  a3            u1       -      user_id:u1,email:m1      user_id:u1
    `))

  test('an unlink removes refusals that only its link had caused', () =>
    check(`
      at     anonymous_id  user_id  email  unlink               ->  profile     refused
      10:00  a1            u1       m1     -                        user_id:u1  -
      10:01  a2            u2       m1     -                        user_id:u2  -
      10:02  a3            -        m1     -                        user_id:u2  -
      10:03  a4            u1       -      user_id:u1,email:m1      user_id:u1  -
    `))

  test('a pair of undeclared or ignored identifiers has no effect', () =>
    check(`
      at     anonymous_id  user_id  alias                      ->  profile
      10:00  a1            u1       user_id:u1,user_id:null        user_id:u1
      10:01  a2            u2       user_id:u2,anonymous_id:a1     user_id:u2
    `))
})
