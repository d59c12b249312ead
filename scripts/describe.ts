/** `npm run describe`: see `describe/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './describe/command.ts'

await main(program)
