/** What a run needs beside its source, opened together and closed together. */

import { Pipeline } from './microbatch/pipeline.ts'
import type { Format } from './config.ts'
import type { PubsubName } from './io/pubsub-name.ts'
import { startDecoder, type Decode } from './decode/decoder-thread.ts'
import { loadDefinitions, type Definitions } from './definition/load.ts'
import { HASH_KEY_VARIABLE } from './decode/identifier-values.ts'
import { EffectPublisher } from './io/outbox-publisher.ts'
import { retrying, type Patience } from './base/retry.ts'
import type { Warehouse } from './warehouse/warehouse.ts'

export type EngineSettings = {
  definitionsDir: string
  format: Format | undefined
  /** The topic that effects go to. */
  effects: PubsubName | undefined
}

export type Engine = {
  pipeline: Pipeline
  /** Those that are live. */
  definitions: Definitions
  /** Names in the definitions that are probably wrong, one sentence each. */
  warnings: string[]
  decode: Decode
  publish: (() => Promise<void>) | undefined
  /** Leaves the warehouse open. */
  close(): Promise<void>
}

/** Opens the warehouse, the decoding thread and the topic. The warehouse is the caller's to close,
 * whatever becomes of this. */
export async function openEngine(
  warehouse: Warehouse,
  settings: EngineSettings,
  patience: Patience,
): Promise<Engine> {
  const { definitionsDir, format } = settings
  const definitions = await loadDefinitions(definitionsDir)
  const hashKey = process.env[HASH_KEY_VARIABLE]
  const open = () => Pipeline.open(warehouse, definitions, { hashKey })
  const pipeline = await retrying('opening', open, patience)
  const outlet = await outletOf(warehouse, settings.effects, patience)
  const decoder = startDecoder({
    identity: definitions.identity,
    operandPaths: pipeline.compiled.operandPaths,
    format,
    definitionsDir,
    hashKey,
  })
  return {
    pipeline,
    definitions: pipeline.definitions,
    warnings: definitions.warnings,
    decode: decoder.decode,
    publish: outlet?.publish,
    close: async () => {
      await decoder.close()
      await outlet?.close()
    },
  }
}

/** The library that publishes is loaded only by those who publish. */
async function outletOf(warehouse: Warehouse, name: PubsubName | undefined, patience: Patience) {
  if (name === undefined) return undefined
  const { pubsubTopic } = await import('./io/pubsub-sink.ts')
  const topic = pubsubTopic(name)
  const publisher = await EffectPublisher.open(warehouse, topic, patience)
  return { publish: () => publisher.publish(), close: () => topic.close() }
}
