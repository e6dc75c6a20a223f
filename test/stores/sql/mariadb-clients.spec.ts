import { describeWith } from '../../support/servers';
import { describeClient } from './client-suite';
import { mariadbDrivers } from './mariadb-clients';

// The others, and this one once more, are in the specs of faults.
describeWith('mariadb', 'on MariaDB', (service) => {
  describeClient(mariadbDrivers[0]!, { place: () => service().url, isShared: true });
});
