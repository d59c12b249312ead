/**
 * The first days after signing up: who finishes the tutorial, who rushes through it, and who becomes
 * inactive. Three tutorial steps activate a person if they were not rushed.
 */

import '../events.ts'
import { defineJourney } from '../../pipeline/definition/define.ts'

export default defineJourney({
  id: 'onboarding',
  version: 1,
  initial: 'registered',
  startOn: ['Signed Up'],
  states: {
    registered: {
      on: { 'Email Verified': 'verified' },
      after: { '3d': 'stalled' },
    },
    verified: {
      on: {
        'Tutorial Step Completed': [
          {
            target: 'activated',
            guard: {
              all: [{ count: 'Tutorial Step Completed', gte: 3 }, { dwell: { gte: '1m' } }],
            },
          },
          { target: 'hurried', guard: { count: 'Tutorial Step Completed', gte: 3 } },
        ],
        'Profile Completed': { target: 'activated', guard: { property: 'photo', exists: true } },
      },
      after: { '7d': 'stalled' },
      ignore: ['Tutorial Step Completed', 'Profile Completed'],
    },
    hurried: { on: { 'Profile Completed': 'activated', 'Invite Sent': 'activated' } },
    stalled: { on: { 'Email Link Clicked': 'verified', 'Tutorial Step Completed': 'verified' } },
    activated: { type: 'final' },
  },
  ignore: ['Signed Up', 'Tutorial Step Completed', 'Profile Completed', 'Email Link Clicked'],
  funnels: { activation: { steps: ['registered', 'verified', 'activated'], within: '14d' } },
})
