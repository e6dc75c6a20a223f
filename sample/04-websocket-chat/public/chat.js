import { io } from '/socket.io/socket.io.esm.min.js';

const element = (id) => document.getElementById(id);
const send = (method, path, body) =>
  fetch(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const fieldsOf = (form) => Object.fromEntries(new FormData(form));

let socket;
let isModerator = false;

/** Asks who is logged in, and shows the chat or the login. */
async function show() {
  const me = await (await fetch('/me')).json();
  isModerator = me.isModerator;
  element('login').hidden = me.name !== null;
  element('chat').hidden = me.name === null;
  element('name').textContent = me.name;
  element('status').textContent = me.endedBecause ? `Your login has ended: ${me.endedBecause}` : '';
  if (me.name === null) element('messages').replaceChildren();
  else connect();
}

/** A socket has the session of its handshake, so there is a new one after each login. */
function connect() {
  socket?.disconnect();
  socket = io({ forceNew: true, transports: ['websocket'] });
  socket.on('said', append);
  socket.on('exception', ({ message }) => (element('status').textContent = message));
  // The server says goodbye when the login has ended, and only then: a lost connection is opened again.
  socket.on('disconnect', (reason) => reason === 'io server disconnect' && show());
}

function append({ name, text }) {
  const item = document.createElement('li');
  item.textContent = `${name}: ${text} `;
  if (isModerator) {
    const remove = document.createElement('button');
    remove.textContent = `Remove ${name}`;
    remove.onclick = () => send('DELETE', `/members/${encodeURIComponent(name)}`);
    item.append(remove);
  }
  element('messages').append(item);
}

element('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await send('POST', '/login', fieldsOf(event.target));
  if (answer.ok) await show();
  else element('status').textContent = (await answer.json()).message;
});

element('logout').addEventListener('click', async () => {
  await send('POST', '/logout');
  await show();
});

element('say').addEventListener('submit', (event) => {
  event.preventDefault();
  socket.emit('say', fieldsOf(event.target).text);
  event.target.reset();
});

await show();
