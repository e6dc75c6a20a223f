import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { CsrfGuard, SessionModule } from 'nestjs-tessera';
import { AccountResolver } from './account.resolver';
import { CartResolver } from './cart.resolver';
import { Users } from './users';

/** Resolvers find their session through the context of the operation; there is nothing to set up for that. */
@Module({
  imports: [
    SessionModule.forRoot(),
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      includeStacktraceInErrorResponses: false,
    }),
  ],
  providers: [AccountResolver, CartResolver, Users, { provide: APP_GUARD, useClass: CsrfGuard }],
})
export class AppModule {}
