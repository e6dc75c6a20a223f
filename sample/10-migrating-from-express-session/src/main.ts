import { stepOne } from './after/step-1';
import { stepTwo } from './after/step-2';
import { before } from './before/before';

/** One application, as it is before the migration and after each of its steps. */
const stages = { before, 'step-1': stepOne, 'step-2': stepTwo };

async function main(): Promise<void> {
  const stage = process.env['STAGE'] ?? 'step-2';
  if (!Object.hasOwn(stages, stage))
    throw new Error(`STAGE must be one of ${Object.keys(stages).join(', ')}`);
  const app = await stages[stage as keyof typeof stages]();
  app.enableShutdownHooks();
  const port = Number(process.env['PORT'] ?? 3000);
  await app.listen(port, process.env['HOST'] ?? 'localhost');
  console.log(`The shop (${stage}) is at http://localhost:${port}`);
}

void main();
