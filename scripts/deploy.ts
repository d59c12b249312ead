/** `npm run deploy`: see `deploy/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './deploy/command.ts'

await main(program)
