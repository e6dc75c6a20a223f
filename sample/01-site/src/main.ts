import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module';
import { settings } from './settings';
import { configureSite } from './site';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['error', 'warn'] });
  configureSite(app);
  // On SIGTERM requests in flight finish and their sessions are saved.
  app.enableShutdownHooks();
  await app.listen(settings.port, settings.host);
  console.log(`The site is at http://localhost:${settings.port} (database: ${settings.database})`);
}

main().catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE') {
    console.error(
      `Port ${settings.port} is taken. Stop what listens there, or choose another: PORT=${settings.port + 1} npm start`,
    );
  } else console.error(error);
  process.exit(1);
});
