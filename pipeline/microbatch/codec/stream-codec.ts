/** Codec of stream images: arrays by position, because member names would be half of the text. */

import type { Codec, StreamImage } from '../image-cache.ts'
import type { Json } from '../../base/json.ts'
import type { Place } from '../../base/event-order.ts'
import type { Claim } from '../../stages/resolve-identity.ts'
import type { Session } from '../../stages/sessionize.ts'

type StoredSession = [
  sessionId: string,
  startedAt: number,
  startOrdinal: number,
  endedAt: number,
  count: number,
  firstEvent: string,
  lastEvent: string,
  source: string,
  because: Session['because'],
  named: string | null,
  namedRank: number,
  exclusive: (string | null)[],
  split: Json[],
]

type StoredStream = [
  last: Place,
  open: StoredSession,
  openProfile: string,
  names: [identifier: string, profile: string][],
  lastNamed: string | null,
  hasUnnamed: 0 | 1,
  claim: Claim,
]

export const STREAM_CODEC: Codec<StreamImage> = {
  encode: (image) => {
    const stored: StoredStream = [
      image.last,
      storeSession(image.open),
      image.openProfile,
      image.names,
      image.lastNamed,
      image.hasUnnamed ? 1 : 0,
      image.claim,
    ]
    return JSON.stringify(stored)
  },
  decode: (text) => {
    const stored = JSON.parse(text) as StoredStream
    const [last, open, openProfile, names, lastNamed, hasUnnamed, claim] = stored
    return {
      last,
      open: readSession(open),
      openProfile,
      names,
      lastNamed,
      hasUnnamed: hasUnnamed === 1,
      claim,
    }
  },
}

function storeSession(session: Session): StoredSession {
  return [
    session.sessionId,
    session.startedAt,
    session.startOrdinal,
    session.endedAt,
    session.count,
    session.firstEvent,
    session.lastEvent,
    session.source,
    session.because,
    session.named,
    session.namedRank,
    session.seen.exclusive,
    session.seen.split,
  ]
}

function readSession(stored: StoredSession): Session {
  return {
    sessionId: stored[0],
    startedAt: stored[1],
    startOrdinal: stored[2],
    endedAt: stored[3],
    count: stored[4],
    firstEvent: stored[5],
    lastEvent: stored[6],
    source: stored[7],
    because: stored[8],
    named: stored[9],
    namedRank: stored[10],
    seen: { exclusive: stored[11], split: stored[12] },
  }
}
