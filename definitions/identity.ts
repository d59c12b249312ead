/** Who is who: two users never become one person, whatever device or address they share. */

import { defineIdentity } from '../pipeline/definition/define.ts'

export default defineIdentity({
  person: ['user_id', 'email'],
  device: ['anonymous_id', 'device_id'],
  exclusive: ['user_id'],
  contested: 'last-known',
  maxPersonsPerDevice: 8,
})
