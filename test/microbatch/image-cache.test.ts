/** Images that stay cached between batches. */

import { expect, test } from 'vitest'
import { ImageCache, JSON_CODEC } from '../../pipeline/microbatch/image-cache.ts'

test('keeps images changed by the last batch, and the most recently used others', async () => {
  const asked: string[] = []
  const state = {
    images: async (_kind: string, keys: string[]) => {
      asked.push(...keys)
      return new Map<string, string>()
    },
  }
  const images = new ImageCache<unknown>({
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
