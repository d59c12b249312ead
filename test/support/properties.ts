/**
 * Property tests tell a failure at once, with the seed and path that repeat it: making it smaller
 * takes longer than a test may. SHRINK=1 does that, for who has the time.
 */

import fc from 'fast-check'

fc.configureGlobal({ endOnFailure: process.env['SHRINK'] !== '1' })
