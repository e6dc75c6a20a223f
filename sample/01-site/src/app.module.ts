import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CsrfGuard, SessionModule } from 'nestjs-tessera';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { AdminModule } from './admin/admin.module';
import { databaseOptions } from './database/database-options';
import { DevicesModule } from './devices/devices.module';
import { LoginModule } from './login/login.module';
import { PlacesModule } from './places/places.module';
import { SecondFactorModule } from './second-factor/second-factor.module';
import { settings } from './settings';
import { ShopModule } from './shop/shop.module';
import { PageFilter } from './web/page.filter';
import { UnusedConnections } from './web/unused-connections';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({ useFactory: () => databaseOptions(settings.database) }),
    SessionModule.forRootAsync({
      inject: [DataSource],
      useFactory: (database: DataSource) => ({
        store: new TypeOrmSessionStore(database),
        lifetime: '12h',
        idleTimeout: '30m',
        rememberMe: { lifetime: '30d', idleTimeout: '14d' },
        // A login on a fourth device ends the oldest one, which is told why: see web/why-ended.ts.
        maxSessionsPerPrincipal: 3,
        // A live page ends with its session, wherever that was ended: see live/live.service.ts.
        closeStreamsOnEnd: true,
        // This site is for browsers, which say where a form comes from: a request with our cookie that does not say is refused.
        csrf: { strict: true },
        // "Firefox on Windows", by the package bowser, and the address, for "where you are logged in".
        devices: true,
      }),
    }),
    LoginModule,
    SecondFactorModule,
    DevicesModule,
    AdminModule,
    ShopModule,
    PlacesModule,
  ],
  providers: [
    { provide: APP_GUARD, useClass: CsrfGuard },
    { provide: APP_FILTER, useClass: PageFilter },
    UnusedConnections,
  ],
})
export class AppModule {}
