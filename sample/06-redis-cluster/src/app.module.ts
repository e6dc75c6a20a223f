import { Module, ValidationPipe } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuthGuard, CsrfGuard, SessionModule } from 'nestjs-tessera';
import { AccountController } from './account.controller';
import { LiveController } from './live.controller';
import { openStore } from './redis';
import { Users } from './users';

@Module({
  imports: [
    SessionModule.forRootAsync({
      useFactory: () => ({
        store: openStore(process.env['REDIS_CLUSTER_URLS']),
        // A stream ends within a second of its session, also when another process has ended that.
        closeStreamsOnEnd: true,
      }),
    }),
  ],
  controllers: [AccountController, LiveController],
  providers: [
    Users,
    { provide: APP_GUARD, useClass: CsrfGuard },
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useValue: new ValidationPipe({ whitelist: true }) },
  ],
})
export class AppModule {}
