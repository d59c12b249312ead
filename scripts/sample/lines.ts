/** Lines of the sample shop, in both wire formats. */

import { formatInstant, HOUR } from '../../pipeline/base/clock.ts'
import type { Random } from './random.ts'

const DAY = 24 * HOUR

export const PRODUCTS = [
  'lamp',
  'chair',
  'desk',
  'kettle',
  'rug',
  'shelf',
  'clock',
  'mirror',
  'vase',
]
const CITIES = ['Lisbon', 'Osaka', 'Bergen', 'Quito', 'Leeds', 'Accra']

export type Customer = {
  userId: string
  email: string
  devices: { id: string; tablet: string | null; source: string; agent: string }[]
  hasAccount: boolean
  isSubscriber: boolean
}

export type Happening = { name: string; at: number; properties: object; isSignedIn: boolean }

export type Draft = {
  id: string
  customer: Customer
  device: Customer['devices'][number]
  campaign: string | null
  happening: Happening
  sentAt: number
  random: Random
  flaw: string | null
}

function contextOf({ device, campaign, random }: Draft): object {
  return {
    page: { url: `https://shop.example/${random.pick(PRODUCTS)}`, referrer: '' },
    userAgent: device.agent,
    locale: 'en-GB',
    city: random.pick(CITIES),
    ...(campaign === null ? {} : { campaign: { source: campaign, medium: 'link' } }),
  }
}

export function nativeLine(draft: Draft): string {
  const { id, customer, device, happening, sentAt, flaw } = draft
  const { name, properties, isSignedIn } = happening
  const at = flaw === 'occurred_in_future' ? happening.at + 400 * DAY : happening.at
  const who = {
    anonymous_id: flaw === 'no_identifier' ? 'null' : device.id,
    ...(device.tablet === null || flaw === 'no_identifier' ? {} : { device_id: device.tablet }),
    ...(isSignedIn && flaw !== 'no_identifier'
      ? { user_id: customer.userId, email: customer.email }
      : {}),
  }
  return JSON.stringify({
    event_id: id,
    ...(flaw === 'missing_field' ? {} : { name }),
    occurred_at: flaw === 'invalid_field' ? 'yesterday' : formatInstant(at),
    received_at: formatInstant(sentAt),
    source: device.source,
    identifiers: who,
    properties: { ...properties, currency: 'EUR', tags: ['a', 'b'], experiment: 'checkout-2' },
    context: contextOf(draft),
  })
}

export function segmentLine(draft: Draft): string {
  const { id, customer, device, happening, sentAt } = draft
  const { name, properties, isSignedIn } = happening
  const isPage = name === 'Page Viewed'
  const isIdentify = name === 'Identify'
  return JSON.stringify({
    type: isPage ? 'page' : isIdentify ? 'identify' : 'track',
    messageId: id,
    ...(isPage || isIdentify ? {} : { event: name }),
    originalTimestamp: formatInstant(happening.at),
    sentAt: formatInstant(sentAt),
    receivedAt: formatInstant(sentAt),
    anonymousId: device.id,
    ...(isSignedIn ? { userId: customer.userId } : {}),
    ...(isIdentify ? { traits: isSignedIn ? { email: customer.email } : {} } : { properties }),
    context: { ...contextOf(draft), source: device.source },
  })
}
