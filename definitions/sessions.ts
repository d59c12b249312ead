/** Session rules: half an hour without events or another campaign starts a new session. */

import { defineSessions } from '../pipeline/definition/define.ts'

export default defineSessions({
  gap: '30m',
  splitOn: ['context.campaign.source'],
})
