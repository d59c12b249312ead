/** Resources of a run besides its source: opened together and closed together. */

import { Pipeline } from './microbatch/pipeline.ts'
import type { Format } from './config.ts'
import type { PubsubName } from './io/pubsub-name.ts'
import { startDecoder, type Decode, type Decoder } from './decode/decoder-thread.ts'
import { loadDefinitions, loadIdentity, type Definitions } from './definition/load.ts'
import { HASH_KEY_VARIABLE, requiredKey } from './decode/hash-key.ts'
import { EffectPublisher } from './io/outbox-publisher.ts'
import { retrying, type Patience } from './base/retry.ts'
import { redactorOf } from './decode/decode.ts'
import { unrecordedKey } from './microbatch/key-on-record.ts'
import { openLocalState } from './state/local-state.ts'
import type { OnRebuild } from './state/rebuild.ts'
import { warehouseState } from './state/state-store.ts'
import { ReleaseLog } from './warehouse/release-log.ts'
import type { LandedMessage, Warehouse } from './warehouse/warehouse.ts'

export type EngineSettings = {
  definitionsDir: string
  format: Format | undefined
  /** Topic that effects are published to. */
  effects: PubsubName | undefined
  /** Folder of the local state store. If undefined, state is read from the warehouse. */
  stateDir?: string | undefined
  /** Called while a new state store is filled. */
  onRebuild?: OnRebuild | undefined
}

export type Engine = {
  pipeline: Pipeline
  /** Live definitions. */
  definitions: Definitions
  /** Names in the definitions that are probably misspelt, one sentence each. */
  warnings: string[]
  decode: Decode
  publish: (() => Promise<void>) | undefined
  /** Closes everything except the warehouse. */
  close(): Promise<void>
}

/** Opens the warehouse, the decoder thread and the topic. The caller closes the warehouse, even if
 * this fails. */
export async function openEngine(
  warehouse: Warehouse,
  settings: EngineSettings,
  patience: Patience,
): Promise<Engine> {
  // The thread takes as long to start as the warehouse takes to open.
  const decoder = startDecoder(settings.definitionsDir)
  try {
    return await openBeside(decoder, warehouse, settings, patience)
  } catch (thrown) {
    await decoder.close()
    throw thrown
  }
}

async function openBeside(
  decoder: Decoder,
  warehouse: Warehouse,
  { definitionsDir, format, stateDir, onRebuild, effects }: EngineSettings,
  patience: Patience,
): Promise<Engine> {
  const definitions = await loadDefinitions(definitionsDir)
  const hashKey = process.env[HASH_KEY_VARIABLE]
  requiredKey(definitions.identity, hashKey)
  const open = async () => {
    await warehouse.open()
    const local =
      stateDir === undefined ? null : await openLocalState(stateDir, warehouse, onRebuild)
    const state = local ?? warehouseState(warehouse)
    try {
      return { state, pipeline: await Pipeline.open(warehouse, definitions, { hashKey, state }) }
    } catch (thrown) {
      state.close()
      throw thrown
    }
  }
  const { pipeline, state } = await retrying('opening', open, patience)
  const outlet = await outletOf(warehouse, effects, patience)
  decoder.configure({
    identity: definitions.identity,
    operandPaths: pipeline.compiled.operandPaths,
    format,
    hashKey,
  })
  return {
    pipeline,
    definitions: pipeline.definitions,
    warnings: definitions.warnings,
    decode: decoder.decode,
    publish: outlet?.publish,
    close: async () => {
      state.close()
      await decoder.close()
      await outlet?.close()
    },
  }
}

/** Returns the redaction of messages before they are stored; identity if no namespace is hashed.
 * The warehouse must be open. */
export async function landingOf(
  warehouse: Warehouse,
  definitionsDir: string,
): Promise<(message: LandedMessage) => LandedMessage> {
  const identity = await loadIdentity(definitionsDir)
  const hashKey = process.env[HASH_KEY_VARIABLE]
  const redactor = redactorOf(identity, hashKey)
  if (redactor === null) return (message) => message
  unrecordedKey(identity, hashKey, await ReleaseLog.read(warehouse), warehouse.url)
  return (message) => redactor.landing(message)
}

/** Opens the topic. Loads the Pub/Sub client only if effects are published. */
async function outletOf(warehouse: Warehouse, name: PubsubName | undefined, patience: Patience) {
  if (name === undefined) return undefined
  const { pubsubTopic } = await import('./io/pubsub-sink.ts')
  const topic = pubsubTopic(name)
  const publisher = await EffectPublisher.open(warehouse, topic, patience)
  return { publish: () => publisher.publish(), close: () => topic.close() }
}
