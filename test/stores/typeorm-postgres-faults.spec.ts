import { describeServerFaults } from './typeorm-faults';

describeServerFaults('postgres');
