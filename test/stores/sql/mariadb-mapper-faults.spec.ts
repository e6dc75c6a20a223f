import { describeLong } from '../../support/long';
import { describeClientFaults } from './client-faults';
import { mariadbMappers } from './mariadb-clients';

describeLong('MariaDB', () => describeClientFaults('mariadb', mariadbMappers));
