import { describeLong } from '../../support/long';
import { describeClientFaults } from './client-faults';
import { mariadbDrivers } from './mariadb-clients';

describeLong('MariaDB', () => describeClientFaults('mariadb', mariadbDrivers));
