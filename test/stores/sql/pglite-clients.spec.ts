import { describeLong } from '../../support/long';
import { describeClient } from './client-suite';
import { pgliteClients } from './embedded-clients';

const inMemory = { place: () => '', isShared: false };

describe('in this process', () => describeClient(pgliteClients[0]!, inMemory));
describeLong('in this process', () => {
  for (const kind of pgliteClients.slice(1)) describeClient(kind, inMemory);
});
