// One subject, asked in this process without sockets.
import { routesFor } from '../harness/routes.mjs';
import { answer, given } from './answer.mjs';
import { Requests } from './requests.mjs';

const { module, platform, options } = given();
const requests = await Requests.start(await import(`../subjects/${module}.mjs`), platform, options);
const visits = new Map();

answer({
  prepare: ({ route }) => {
    const visit = requests.visit(routesFor({ routes: [route] })[0]);
    visits.set(route, visit);
    return visit.prepare();
  },
  measure: ({ route, count }) => visits.get(route).measure(count),
  verify: ({ route }) => visits.get(route).verify(),
});
