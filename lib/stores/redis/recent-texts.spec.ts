import { RecentTexts } from './recent-texts';

const GENERATION = 5_000;
const MANY = 100_000;

describe('RecentTexts', () => {
  const idsOf = (from: number, count: number) => Array.from({ length: count }, (_, n) => `id-${from + n}`);

  it('knows each of the latest again', () => {
    const recent = new RecentTexts();
    const known = idsOf(0, MANY).filter((id) => !recent.add(id));
    const forgotten = idsOf(MANY - GENERATION, GENERATION).filter((id) => recent.add(id));
    expect({ known, forgotten }).toEqual({ known: [], forgotten: [] });
  });

  it('forgets what lies two generations back, so that it does not grow', () => {
    const recent = new RecentTexts();
    for (const id of idsOf(0, 3 * GENERATION)) recent.add(id);
    expect({ isKnown: recent.has('id-0'), isNew: recent.add('id-0') }).toEqual({
      isKnown: false,
      isNew: true,
    });
  });
});
