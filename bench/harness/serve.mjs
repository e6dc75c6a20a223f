// The child process: serves one subject, and tells its CPU time when asked. Runs until its parent lets go.
import { traitsOf } from './traits.mjs';

const { module, platform, options } = JSON.parse(process.argv[2]);
const subject = await import(`../subjects/${module}.mjs`);
const app = await subject.start(platform, options);
await app.listen(0, '127.0.0.1');

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: user + system });
});
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port, traits: traitsOf(subject) });
