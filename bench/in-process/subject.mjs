// One subject, asked in this process without sockets.
import { routesFor } from '../harness/routes.mjs';
import { answer, given } from './answer.mjs';
import { Requests } from './requests.mjs';

const { module, platform, options } = given();
const requests = await Requests.start(await import(`../subjects/${module}.mjs`), platform, options);
let visit;

answer({
  prepare: ({ route }) => {
    visit = requests.visit(routesFor({ routes: [route] })[0]);
    return visit.prepare();
  },
  measure: ({ count }) => visit.measure(count),
  verify: () => visit.verify(),
});
