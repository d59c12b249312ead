/** `npm run funnel`: see `commands/funnel.ts`. */

import { main } from './cli/command.ts'
import { program } from './commands/funnel.ts'

await main(program)
