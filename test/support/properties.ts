/**
 * Property tests report a failure at once, with the seed and path that repeat it, because shrinking
 * takes longer than a test may. Set SHRINK=1 to shrink.
 */

import fc from 'fast-check'

fc.configureGlobal({ endOnFailure: process.env['SHRINK'] !== '1' })
