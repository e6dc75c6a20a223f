import { describeLong } from '../support/long';
import { describeServerFaults } from './typeorm-faults';

describeLong('PostgreSQL', () => describeServerFaults('postgres'));
