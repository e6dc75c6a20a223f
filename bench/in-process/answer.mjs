// The other end of `Child`: what a process that measures begins with.

/** What it was started with. */
export function given() {
  return JSON.parse(process.argv[2]);
}

/** Does the tasks it is asked for, by name, until its parent lets go; then `close` leaves nothing behind. */
export function answer(tasks, close = () => {}) {
  process.on('message', async ({ task, parameters }) => {
    try {
      process.send({ value: await tasks[task](parameters) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', async () => {
    await close();
    process.exit();
  });
  process.send('ready');
}
