// What describe-with.spec.ts runs in a process of its own: a machine without PostgreSQL.
import { describeWith } from './describe-with';

describeWith('postgres', 'a store on PostgreSQL', () => it('works', () => {}), {
  variables: {},
  folders: [],
});
