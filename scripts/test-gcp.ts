/** `npm run test:gcp`: see `test-gcp/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './test-gcp/command.ts'

await main(program)
