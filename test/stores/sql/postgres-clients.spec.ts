import { describeWith } from '../../support/servers';
import { describeClient } from './client-suite';
import { postgresDrivers, postgresMappers } from './postgres-clients';

// The others, and these once more, are in the specs of faults.
for (const kind of [postgresDrivers[0]!, postgresMappers[0]!]) {
  describeWith('postgres', 'on PostgreSQL', (service) => {
    describeClient(kind, { place: () => service().url, isShared: true });
  });
}
