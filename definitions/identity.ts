/** Identity rules: two users are never merged into one person, even on a shared device. */

import { defineIdentity } from '../pipeline/definition/define.ts'

export default defineIdentity({
  person: ['user_id', 'email'],
  device: ['anonymous_id', 'device_id'],
  exclusive: ['user_id'],
  contested: 'last-known',
  maxPersonsPerDevice: 8,
})
