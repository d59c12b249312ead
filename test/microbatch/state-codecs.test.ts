/** What images remember between batches. */

import { expect, test } from 'vitest'
import { STREAM_CODEC } from '../../pipeline/microbatch/stream-codec.ts'
import { Events } from '../../pipeline/stages/events.ts'
import { addSegment } from '../../pipeline/microbatch/history-codec.ts'
import { Images, JSON_CODEC } from '../../pipeline/microbatch/state-store.ts'

test('what the last batch changed stays, of the rest what was used last', async () => {
  const asked: string[] = []
  const state = {
    images: async (_kind: string, keys: string[]) => {
      asked.push(...keys)
      return new Map<string, string>()
    },
  }
  const images = new Images<number>({
    kind: 'stream',
    state,
    codec: JSON_CODEC,
    max: 2,
    isEmpty: true,
  })
  const batch = async (keys: string[], changed: string[]) => {
    await images.load(keys)
    for (const key of changed) images.put(key, 1)
    images.settle()
  }
  await batch(['a', 'b', 'c'], ['a', 'b', 'c'])
  await batch(['a', 'd'], ['d'])
  await images.load(['a', 'b', 'c', 'd'])
  expect(asked).toEqual(['b', 'c'])
})

test('what an earlier version remembers is refused, in words', () => {
  expect(() => STREAM_CODEC.decode('{"last":[1,0,"e1"]}')).toThrow('made by an earlier version')
  const event = '[1772438471937816,0,"e1","A","web",["user_id:u1"],[]]'
  const earlier = `[${Array(8).fill(event).join()}]`
  expect(() => addSegment(new Events(1, 0), 's', earlier)).toThrow('made by an earlier version')
})
