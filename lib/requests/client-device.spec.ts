import { deviceDescription } from './client-device';

describe('the description of a client', () => {
  const describeClient = deviceDescription(() => 'an app')!;

  it.each<{ what: string; address: string | null; shown: string | null }>([
    { what: 'is kept', address: '198.51.100.4', shown: '198.51.100.4' },
    { what: 'may be unknown', address: null, shown: null },
    {
      what: 'is cleaned of what changes the text around it',
      address: '\x9b31m\x85ERROR \u202e4',
      shown: '31mERROR 4',
    },
    { what: 'is cut', address: `${'4'.repeat(600)}`, shown: '4'.repeat(512) },
  ])('has an address that $what: a trusted proxy may hand on whatever the client says', (row) => {
    expect(describeClient({ headers: {}, address: row.address })).toEqual({
      label: 'an app',
      address: row.shown,
    });
  });
});
