import { describeLong } from '../../support/long';
import { describeClientFaults } from './client-faults';
import { postgresDrivers } from './postgres-clients';

describeLong('PostgreSQL', () => describeClientFaults('postgres', postgresDrivers));
