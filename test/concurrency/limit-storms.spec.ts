import '../support/session-data';
import { describeStores } from '../support/stores';
import { HELD, LOGINS, POLICIES, stormOn } from './limit-storm';

describeStores(`${LOGINS} logins of one principal at once, in two processes, with`, (kind) => {
  it.each(POLICIES)(
    'L9: %s leaves three usable tokens, and there are never more',
    async (policy) => {
      const under = await kind.create();
      const beside = await under.beside();
      const result = await stormOn([under.store, beside.store], policy);
      await beside.close();
      await under.close();
      expect(result).toEqual(HELD);
    },
    30_000,
  );
});
