import { Module } from '@nestjs/common';
import { DemoProvider } from './demo-provider';

/** Starts the demonstration's provider beside the application. A real one is at Google, GitHub or in your company. */
@Module({
  providers: [{ provide: DemoProvider, useFactory: () => DemoProvider.start() }],
  exports: [DemoProvider],
})
export class ProviderModule {}
