import { describeLong } from '../../support/long';
import { describeClientFaults } from './client-faults';
import { postgresMappers } from './postgres-clients';

describeLong('PostgreSQL', () => describeClientFaults('postgres', postgresMappers));
