// The last requests: a waterfall, filters, and the story of one.
import { make } from './view.js';

const $ = (id) => document.getElementById(id);
const words = JSON.parse($('words').textContent);
const list = $('list');
const maxRows = 300;
const firstRows = 60; // until somebody asks for all: drawing hundreds of rows twice a second is work

let all = []; // the latest first
let most = firstRows;
let held = [];  // that came while the list was paused
const rows = new Map(); // seq -> li

const ms = (n) => (n < 1000 ? `${n < 10 ? n.toFixed(1) : Math.round(n)} ms` : n < 60000 ? `${(n / 1000).toFixed(2)} s` : `${Math.floor(n / 60000)} min ${Math.round((n % 60000) / 1000)} s`);
const clock = (t) => new Date(t).toLocaleTimeString('sv');
const explain = (table, value) => words[table]?.[value ?? ''] ?? { text: value ?? '' };

const filters = {
  outcome: { select: $('by-outcome'), of: (q) => q.outcome, all: 'all', more: [['!completed', 'not completed'], ['!retried', 'more than one attempt']] },
  model: { select: $('by-model'), of: (q) => q.model ?? '', all: 'all', none: 'no model' },
  credential: { select: $('by-credential'), of: (q) => q.credential ?? '', all: 'all', none: 'none' },
  caller: { select: $('by-caller'), of: (q) => q.caller ?? '', all: 'all', none: 'no name' },
};

function passes(q) {
  return Object.values(filters).every(({ select, of }) => {
    const value = select.value;
    if (!value) return true;
    if (value === '!completed') return q.outcome !== 'completed';
    if (value === '!retried') return q.attempts > 1;
    return `=${of(q)}` === value;
  });
}

function showChoices() {
  for (const f of Object.values(filters)) {
    const values = [...new Set(all.map(f.of))].sort();
    const options = [['', f.all], ...(f.more ?? []), ...values.map((v) => [`=${v}`, v || f.none || v])];
    const chosen = f.select.value;
    if (chosen && !options.some(([value]) => value === chosen)) options.push([chosen, chosen.slice(1)]);
    const key = JSON.stringify(options);
    if (f.key === key) continue;
    f.key = key;
    if (f === filters.caller) f.select.parentElement.hidden = !chosen && !values.some(Boolean); // most have no names
    f.select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  }
}

function segment(className, at, took) {
  const s = make('i', `seg ${className}`);
  s.style.setProperty('--at', at);
  s.style.setProperty('--took', took);
  return s;
}

const drawn = { queue: 'queue', breaker: 'breaker', backoff: 'backoff', stream: 'stream' };

function bar(q) {
  const b = make('span', 'bar');
  b.ariaHidden = 'true';
  for (const s of q.spans ?? []) {
    if (s.kind === 'attempt') {
      b.append(segment(s.outcome === 'ok' ? 'attempt' : 'attempt bad', s.at_ms, s.took_ms));
      if (s.hold_ms) b.append(segment('hold', s.at_ms + s.took_ms - s.hold_ms, s.hold_ms));
    } else if (drawn[s.kind]) {
      b.append(segment(drawn[s.kind], s.at_ms, s.took_ms));
    }
  }
  return b;
}

const tone = (q) => (q.outcome === 'completed' ? 'good' : q.outcome === 'canceled' ? 'left' : 'ill');

function row(q) {
  const what = [q.model || q.endpoint || q.path, q.upstream, q.attempts > 1 ? `${q.attempts} attempts` : '', q.caller && `by ${q.caller}`].filter(Boolean).join(' · ');
  const button = make('button', 'row', make('span', 'when', clock(q.start)), make('span', `how ${tone(q)}`, `${q.status || '–'} ${q.outcome}`), make('span', 'what', what), bar(q), make('span', 'took', ms(q.took_ms)));
  button.type = 'button';
  button.tabIndex = -1;
  button.dataset.seq = q.seq;
  button.dataset.took = q.took_ms;
  return make('li', '', button);
}

// scale is a time that nine of ten requests are within: one long stream must not flatten the others.
function scale(shown) {
  const took = shown.map((q) => q.took_ms).sort((a, b) => a - b);
  return Math.max(1, (took[Math.floor(took.length * 0.9)] ?? 1) * 1.1);
}

function show() {
  showChoices();
  const passing = all.filter(passes);
  const shown = passing.slice(0, most);
  const wanted = new Set(shown.map((q) => q.seq));
  for (const [seq, li] of rows) {
    if (!wanted.has(seq)) {
      li.remove();
      rows.delete(seq);
    }
  }
  let before = list.firstChild;
  for (const q of shown) {
    let li = rows.get(q.seq);
    if (!li) rows.set(q.seq, (li = row(q)));
    if (li === before) before = before.nextSibling;
    else list.insertBefore(li, before);
  }
  const longest = scale(shown);
  list.style.setProperty('--scale', longest);
  for (const button of list.querySelectorAll('.row')) {
    const over = button.dataset.took > longest * 1.02;
    const mark = button.querySelector('.over');
    if (over && !mark) button.querySelector('.bar').append(make('span', 'over', '›'));
    if (!over && mark) mark.remove();
  }
  if (!list.querySelector('[tabindex="0"]') && list.firstChild) list.firstChild.firstChild.tabIndex = 0;
  const more = held.length ? `; ${held.length} new while paused` : '';
  const count = all.length ? `${passing.length === all.length ? all.length : `${passing.length} of ${all.length}`} ${all.length === 1 ? 'request' : 'requests'}${shown.length ? `, bars up to ${ms(longest)}` : ''}${more}` : 'No request has ended yet.';
  const rest = passing.length - shown.length;
  $('more').hidden = !rest;
  if (rest) $('more').textContent = `Show ${rest} more`;
  if ($('count').textContent !== count) $('count').textContent = count;
}

const paused = () => $('hold').ariaPressed === 'true' || list.contains(document.activeElement) || $('story').open;

export function resetRequests() {
  all = [];
  held = [];
}

// addRequests takes the oldest first.
export function addRequests(requests) {
  held.push(...requests);
  if (paused() && all.length) {
    held = held.slice(-maxRows);
    show();
    return;
  }
  all = [...held.reverse(), ...all].slice(0, maxRows);
  held = [];
  show();
}

function step(at, title, ...reasons) {
  const text = make('div', '', make('strong', '', title));
  for (const r of reasons) {
    if (!r?.text) continue;
    text.append(make('div', '', r.text, r.setting ? make('span', 'muted', ' Setting: ') : '', r.setting ? make('code', '', r.setting) : ''));
  }
  return make('li', '', make('span', 'when', `+${ms(at)}`), text);
}

function stepOf(s) {
  const kind = explain('kind', s.kind).text;
  const where = s.upstream ? ` at ${s.upstream}` : '';
  if (s.kind === 'attempt') {
    const hold = s.hold_ms ? ` The beginning of the answer was held for ${ms(s.hold_ms)}.` : '';
    const wait = s.wait_ms ? ` Next attempt after ${ms(s.wait_ms)}${s.hint_ms ? `; the upstream asked for ${ms(s.hint_ms)}` : ''}.` : '';
    return step(s.at_ms, `attempt ${s.attempt}${where}: ${s.status || 'no answer'}, ${s.outcome}, ${ms(s.took_ms)}`, ...(s.outcome === 'ok' ? [] : [explain('outcome', s.outcome), explain('decision', s.reason)]), { text: (hold + wait).trim() });
  }
  const table = { queue: 'queue', breaker: 'breaker', backoff: 'decision', refused: 'decision', failover: 'failover', stream: 'outcome', resume: 'resume' }[s.kind];
  const length = s.took_ms ? `, ${ms(s.took_ms)}` : '';
  return step(s.at_ms, `${kind}${where}${length}`, table ? explain(table, s.reason) : { text: s.reason });
}

// zoned is a time with this zone, and in UTC.
function zoned(t) {
  const d = new Date(t);
  const off = -d.getTimezoneOffset();
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  const local = new Date(d.getTime() + off * 60000).toISOString().slice(0, 23);
  return `${local}${off < 0 ? '-' : '+'}${two(off / 60)}:${two(off % 60)} (${d.toISOString()})`;
}

function support(q) {
  const lines = [
    ['Upstream request id', q.upstream_request_id], ['Outrigger request id', q.id], ['Time', zoned(q.start)], ['Endpoint', `${q.method} ${q.path}`],
    ['Model', [q.model, q.sent_model && `sent as ${q.sent_model}`].filter(Boolean).join(', ')], ['Upstream', q.upstream], ['Status', q.status || 'none'],
    ['Error type', q.error_type], ['Error code', q.error_code], ['Error param', q.error_param], ['Error message', q.error || (q.error_type || q.error_code ? `in the log, under ${q.id}` : '')],
    ['Outcome', [q.outcome, q.reason].filter(Boolean).join(', ')], ['Took', ms(q.took_ms)],
    ['Answer headers', [`x-outrigger-request-id: ${q.id}`, `x-outrigger-source: ${q.source}`, `x-outrigger-attempts: ${q.attempts}`, `x-outrigger-queue-ms: ${Math.floor(q.queue_ms)}`,
      q.failover && `x-outrigger-failover: ${q.failover}`, q.upstream_request_id && `x-request-id: ${q.upstream_request_id}`].filter(Boolean).map((h) => `\n  ${h}`).join('')],
  ];
  const tries = (q.spans ?? []).filter((s) => s.kind === 'attempt').map((s) => `\n  ${s.attempt}: ${s.upstream}, at +${ms(s.at_ms)}, ${ms(s.took_ms)}, status ${s.status || 'none'}, ${s.outcome}`).join('');
  if (tries) lines.push(['Attempts', tries]);
  return `${lines.filter(([, v]) => v !== '' && v != null).map(([name, v]) => `${name}:${String(v).startsWith('\n') ? '' : ' '}${v}`).join('\n')}\n`;
}

function tell(q) {
  $('story-title').textContent = `${q.method} ${q.path}`;
  const end = explain('outcome', q.outcome);
  const facts = [clock(q.start), q.model, q.upstream, q.credential && `credential ${q.credential}`, q.caller && `caller ${q.caller}`, ms(q.took_ms)].filter(Boolean).join(' · ');
  $('story-outcome').replaceChildren(make('span', `how ${tone(q)}`, `${q.status || 'no status'} ${q.outcome}. `), end.text, end.setting ? make('span', 'muted', ' Setting: ') : '', end.setting ? make('code', '', end.setting) : '', make('div', 'muted', facts));
  const steps = [...(q.spans ?? [])].sort((a, b) => a.at_ms - b.at_ms).map(stepOf);
  if (q.would) steps.push(step(q.took_ms, `enforce mode: ${q.would.join(', ').replaceAll('_', ' ')}${q.would_outcome ? `, then ${q.would_outcome}` : ''}`, ...q.would.map((w) => explain('would', w))));
  steps.unshift(step(0, 'the request arrived', q.idempotency ? explain('idempotency', q.idempotency) : null));
  if (q.more_spans) steps.push(step(q.took_ms, `${q.more_spans} more steps are in the log`));
  steps.push(step(q.took_ms, 'the answer ended', q.source === 'upstream' ? null : explain('source', q.source), q.reason ? explain('reason', q.reason) : null, q.error ? { text: q.error } : null));
  $('steps').replaceChildren(...steps);
  $('support').value = support(q);
  $('copied').textContent = '';
  $('story').showModal();
  $('story-title').focus();
}

async function copy() {
  const area = $('support');
  try {
    await navigator.clipboard.writeText(area.value);
  } catch { // only a secure context has a clipboard
    area.select();
    if (!document.execCommand('copy')) {
      $('copied').textContent = 'The browser does not permit it: copy the text below.';
      return;
    }
  }
  $('copied').textContent = 'Copied.';
}

list.addEventListener('click', (event) => {
  const button = event.target.closest('.row');
  const q = button && all.find((r) => r.seq === Number(button.dataset.seq));
  if (q) tell(q);
});

// One stop of the Tab key, and arrows within.
list.addEventListener('keydown', (event) => {
  const here = document.activeElement.closest('#list li');
  const to = here && { ArrowDown: here.nextSibling, ArrowUp: here.previousSibling, Home: list.firstChild, End: list.lastChild }[event.key];
  if (to) {
    event.preventDefault();
    to.firstChild.focus();
  }
});
list.addEventListener('focusin', (event) => {
  for (const b of list.querySelectorAll('[tabindex="0"]')) b.tabIndex = -1;
  event.target.closest('.row').tabIndex = 0;
});
list.addEventListener('focusout', () => setTimeout(() => { if (!paused()) addRequests([]); }));
$('story').addEventListener('close', () => setTimeout(() => { if (!paused()) addRequests([]); }));
$('hold').addEventListener('click', () => {
  const on = $('hold').ariaPressed !== 'true';
  $('hold').ariaPressed = String(on);
  $('hold').textContent = on ? 'Resume the list' : 'Pause the list';
  addRequests([]);
});
for (const { select } of Object.values(filters)) select.addEventListener('change', show);
$('more').addEventListener('click', () => {
  most = maxRows;
  show();
  list.children[firstRows]?.firstChild.focus();
});
$('copy').addEventListener('click', copy);
show();
