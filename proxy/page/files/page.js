// The page's connection: what is known, and since when it may be out of date.
import { showState, tick } from './view.js';
import { addRequests, resetRequests } from './story.js';

const known = { parts: {}, upstreams: {}, skew: 0 };
let lost = 0; // when the connection was lost, 0 while there is one
const connection = document.getElementById('connection');

const clock = (t) => new Date(t).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

function take(update) {
  known.skew = Date.parse(update.time) - Date.now();
  if (update.full) {
    known.parts = {};
    known.upstreams = {};
    resetRequests();
  }
  Object.assign(known.parts, update.parts);
  Object.assign(known.upstreams, update.upstreams);
  if (update.parts || update.upstreams) showState(known);
  if (update.requests) addRequests(update.requests);
}

function connected() {
  lost = 0;
  document.body.classList.remove('lost');
  connection.textContent = 'live';
}

function disconnected(why) {
  lost ||= Date.now();
  document.body.classList.add('lost');
  const text = `not connected since ${clock(lost)}${why}`;
  if (connection.textContent !== text) connection.textContent = text;
}

function listen() {
  const source = new EventSource('events');
  source.onmessage = (event) => {
    connected();
    take(JSON.parse(event.data));
  };
  source.onerror = () => {
    disconnected('; what is shown was known then');
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source.close();
    why();
    setTimeout(listen, 5000);
  };
}

// why asks what an EventSource does not tell: that too many pages are open.
async function why() {
  try {
    const answer = await fetch('events', { signal: AbortSignal.timeout(2000) });
    if (answer.status === 503) disconnected(`: ${(await answer.text()).trim()}`);
    else await answer.body.cancel();
  } catch { /* it is away */ }
}

// Countdowns, for as long as somebody sees them: without a connection nobody knows what comes.
setInterval(() => { if (!document.hidden && !lost) tick(known); }, 1000);
listen();
