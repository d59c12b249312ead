/** `npm run report`: see `report/command.ts`. */

import { main } from './cli/command.ts'
import { program } from './report/command.ts'

await main(program)
