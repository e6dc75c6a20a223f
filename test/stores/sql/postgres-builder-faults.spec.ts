import { describeLong } from '../../support/long';
import { describeClientFaults } from './client-faults';
import { postgresBuilders } from './postgres-clients';

describeLong('PostgreSQL', () => describeClientFaults('postgres', postgresBuilders));
