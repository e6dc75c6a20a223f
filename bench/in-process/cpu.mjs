/** CPU time of all threads of this process while something is done so many times, in microseconds each. */
export async function cpuOf(times, operation) {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < times; i++) {
    const result = operation(i);
    if (result instanceof Promise) await result;
  }
  const used = process.cpuUsage({ user, system });
  return (used.user + used.system) / times;
}
