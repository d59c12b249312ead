/** Half an hour of silence ends a session, and so does arriving by another campaign. */

import { defineSessions } from '../pipeline/definition/define.ts'

export default defineSessions({
  gap: '30m',
  splitOn: ['context.campaign.source'],
})
