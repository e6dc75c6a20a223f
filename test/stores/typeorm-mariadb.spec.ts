import { describeSessionStore } from 'nestjs-tessera/testing';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { often } from '../support/long';
import { describeWith } from '../support/servers';
import { application, applicationOfGroup } from './server-database';

describeWith('mariadb', 'on MariaDB', (service) => {
  const database = applicationOfGroup('mariadb', service);

  describeSessionStore('TypeOrmSessionStore', {
    create: async () => new TypeOrmSessionStore(await database()),
    peer: () => new TypeOrmSessionStore(application('mariadb', service().url)),
    without: ['watching'],
    volume: often(300, 2000),
  });
});
