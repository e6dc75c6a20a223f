import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { AccountResolver } from './account.resolver';
import { Devices } from './devices';
import { Uploads } from './uploads';

/** An account that lists its devices, through Apollo over HTTP. */
@Module({
  imports: [GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true })],
  providers: [AccountResolver, Devices, Uploads],
})
export class AccountModule {}
