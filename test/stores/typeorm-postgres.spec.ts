import { describeSessionStore } from 'nestjs-tessera/testing';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { often } from '../support/long';
import { describeWith } from '../support/servers';
import { application, applicationOfGroup } from './server-database';

describeWith('postgres', 'on PostgreSQL', (service) => {
  const database = applicationOfGroup('postgres', service);

  describeSessionStore('TypeOrmSessionStore', {
    create: async () => new TypeOrmSessionStore(await database()),
    peer: () => new TypeOrmSessionStore(application('postgres', service().url)),
    volume: often(300, 2000),
  });
});
