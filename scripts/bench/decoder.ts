/** Decoder of the sample: any format, no schemas, nothing hashed. */

import { ChunkDecoder } from '../../pipeline/decode/decode.ts'
import type { Compiled } from '../../pipeline/definition/compile.ts'
import type { Definitions } from '../../pipeline/definition/load.ts'

export function decoderOf({ identity }: Definitions, { operandPaths }: Compiled): ChunkDecoder {
  return new ChunkDecoder({
    identity,
    operandPaths,
    format: undefined,
    events: { events: {} },
    hashKey: undefined,
  })
}
