import { afterEach, describe, it } from 'node:test';
import { describeKit } from './kit-scenario';

describeKit({
  describe: (title, body) => void describe(title, body),
  it: (title, body) => void it(title, body),
  afterEach,
});
