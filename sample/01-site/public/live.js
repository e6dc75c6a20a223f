// Keeps the list of a page up to date, and leaves the page when its session has ended. Without it, a reload does the same.
const list = document.querySelector('[data-live]');
const stream = new EventSource(list.dataset.live);

stream.addEventListener('message', async () => {
  const answer = await fetch(list.dataset.list);
  if (answer.ok) list.innerHTML = await answer.text();
});

// A stream that ends is opened again. When the site refuses that, this browser is logged out: the reload leads to the login.
stream.addEventListener('error', () => {
  if (stream.readyState === EventSource.CLOSED) location.reload();
});
