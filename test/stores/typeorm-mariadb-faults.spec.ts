import { describeServerFaults } from './typeorm-faults';

describeServerFaults('mariadb');
