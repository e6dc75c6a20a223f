// npm run sample 02-quick-start: builds the package, compiles a sample against it as it is published, and runs the sample.
import { execFileSync, execSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const samples = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const [name = ''] = process.argv.slice(2);
if (!samples.includes(name)) {
  console.error(`There is no sample "${name}". Choose one of these:`);
  for (const sample of samples) console.error(`  npm run sample ${sample}`);
  process.exit(1);
}

console.log('Building the package and the sample …');
const compiler = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'));
const project = fileURLToPath(new URL(`${name}/tsconfig.build.json`, import.meta.url));
try {
  execSync('npm run build --silent', {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
  });
  execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit' });
} catch {
  process.exit(1); // the compiler has said why
}
await import(`./${name}/dist/main.js`);
