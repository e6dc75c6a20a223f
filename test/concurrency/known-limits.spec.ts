import { memory } from '../support/stores';
import { startRace, type Race } from './race';
import { does, looks } from './race.controller';

/**
 * What the server cannot know: a browser that has got a cookie since it sent the request that is being answered. Where the
 * session still exists, its record tells (R5); where it has ended there is nothing left to tell it. This test fails, and
 * says so once there is a way.
 */
describe('a late answer to a request of a session that has ended', () => {
  let race: Race;

  beforeEach(async () => {
    race = await startRace('fastify', memory);
  });
  afterEach(() => race.end());

  it.failing('R3: does not put a session of its own in the place of the login that came after', async () => {
    const browser = await race.visitor();
    await does(browser, 'login ada');
    const slow = does(browser, 'wait door', 'visit');
    await race.doors.reached('door');
    await does(browser, 'login bob');
    race.doors.open('door');
    await slow;
    expect((await looks(browser)).principal).toBe('bob');
  });
});
