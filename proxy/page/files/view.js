// What is known, as HTML. Every text goes in as text.
export const make = (name, className, ...content) => {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...content.filter((c) => c !== '' && c != null));
  return e;
};
const $ = (id) => document.getElementById(id);
const marks = { ok: 'OK', busy: 'Busy', trouble: 'Trouble', down: 'Down' };

// span is a duration as package verdict writes it.
export function span(ms) {
  const s = Math.max(1, Math.ceil(ms / 1000));
  const two = (a, unit, b, smaller) => (b ? `${a} ${unit} ${b} ${smaller}` : `${a} ${unit}`);
  if (s < 60) return `${s} s`;
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86400) return two(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return two(Math.floor(s / 86400), 'd', Math.floor((s % 86400) / 3600), 'h');
}

// clock is a time of day here, with its date if that is not today.
function clock(text, now) {
  const t = new Date(text);
  const day = t.toDateString() === new Date(now).toDateString() ? '' : `${t.toLocaleDateString('sv')} `;
  return day + t.toLocaleTimeString('sv', { hour: '2-digit', minute: '2-digit' });
}

// words are a verdict's line as a sentence; see verdict.Line.Words.
function words(line, now) {
  let text = (line.upstream ? `${line.upstream}: ` : '') + line.text;
  if (line.since) text += `, since ${clock(line.since, now)}`;
  if (!line.next) return text;
  const left = line.at ? Date.parse(line.at) - now : 0;
  return `${text}; ${line.next} ${left > 0 ? `in ${span(left)}` : 'with the next request'}`;
}

const number = (n) => n.toLocaleString('en', { maximumFractionDigits: n < 10 ? 1 : 0 });

function showVerdict(verdict, now) {
  if (!verdict) return;
  const list = $('lines');
  const lines = verdict.lines;
  while (list.children.length > lines.length) list.lastChild.remove();
  lines.forEach((line, i) => {
    const li = list.children[i] ?? list.appendChild(make('li', '', make('span', 'mark'), make('span', 'text')));
    const text = words(line, now);
    if (li.className !== line.level) li.className = line.level;
    if (li.lastChild.textContent !== text) li.lastChild.textContent = text;
    li.firstChild.textContent = marks[line.level] ?? line.level;
  });
  // A screen reader hears changes, not each second of a countdown.
  const spoken = lines.map((l) => (l.upstream ? `${l.upstream}: ` : '') + l.text).join('. ');
  if ($('spoken').textContent !== spoken) $('spoken').textContent = spoken;
  const title = `${marks[verdict.level] ?? ''} · Outrigger`;
  if (document.title !== title) document.title = title;
}

function facts(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value != null).map(([name, value]) => make('div', '', make('dt', '', name), make('dd', '', String(value)))));
}

const bytes = (n) => (n < 1 << 20 ? `${Math.ceil(n / 1024)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`);

function showTotals(totals, load) {
  const o = totals.observed;
  $('mode').hidden = !o;
  if (o) {
    facts($('totals'), [
      ['requests', number(totals.requests)],
      ['failed', number(o.failed)],
      ['failures it would prevent', number(o.failures_prevented)],
      ['calls it would not make', number(o.calls_not_made)],
      ['would wait in queues', o.queue_seconds ? span(o.queue_seconds * 1000) : '0 s'],
    ]);
    return;
  }
  facts($('totals'), [
    ['requests', number(totals.requests)],
    ['in flight now', number(load?.inflight ?? 0)],
    ['failures prevented', number(totals.failures_prevented)],
    ['calls not made', number(totals.calls_not_made)],
    ['waited in queues', totals.queue_seconds ? span(totals.queue_seconds * 1000) : '0 s'],
  ]);
}

function showAround({ totals, load, idempotency, fleet }, now) {
  const ended = Object.entries(totals.streams.ended).sort().map(([how, n]) => `${number(n)} ${how}`).join(', ');
  const pairs = [
    ['Streams', `${number(totals.streams.open)} open${ended ? `; ended: ${ended}` : ''}${totals.streams.resumed ? `; ${number(totals.streams.resumed)} resumed` : ''}`],
    ['Idempotency store', `${idempotency.store}, ${idempotency.answers ? 'answers' : 'does not answer'}; ${number(idempotency.running)} calls with a key under way, ${number(idempotency.abandoned)} without a caller`],
    ['Request bodies', `${bytes(load.body_memory_bytes)} in memory, ${bytes(load.body_spool_bytes)} on disk`],
    ['Running since', clock(totals.since, now)],
  ];
  if (totals.observed) {
    const would = Object.entries(totals.observed.would).sort().map(([what, n]) => `${number(n)} ${what.replaceAll('_', ' ')}`).join(', ');
    pairs.push(['Enforce mode would have', would || 'no request has ended yet']);
    pairs.push(['Failures it would cause', number(totals.observed.failures_caused)]);
  }
  if (fleet) {
    const members = (fleet.members ?? []).map((m) => `${m.id}: ${number(m.queue ?? 0)} wait, ${Math.round((m.share ?? 0) * 100)} %`).join('; ');
    const state = fleet.degraded ? `degraded: ${fleet.cause}${fleet.since ? `, since ${clock(fleet.since, now)}` : ''}` : 'connected';
    pairs.push(['Fleet', members ? `${state}; ${members}` : state]);
  }
  facts($('around'), pairs);
}

const units = { 60: 'per minute', 3600: 'per hour', 86400: 'per day' };
const told = { configured: 'configured', header: 'told by headers', 'refusal text': 'told by a refusal', refusals: 'learned from refusals' };

function gauge(used, text) {
  const bar = make('i');
  bar.style.setProperty('--used', Math.min(100, Math.max(0, used)));
  bar.ariaHidden = 'true';
  return make('span', `gauge${used >= 90 ? ' full' : ''}`, bar, text);
}

const waiting = (n) => (n ? make('span', 'wait', n === 1 ? '1 waits' : `${number(n)} wait`) : '');

function limitRows(l, now) {
  const name = () => make('span', '', make('strong', '', l.model || 'no model'), ' ', make('span', 'muted mono', l.credential), l.unproven ? make('span', 'muted', ' unknown model') : '');
  const pause = l.state.gate_until ? Date.parse(l.state.gate_until) - now : 0;
  const tail = (queue, rate) => make('span', '', waiting(queue), queue && pause > 0 ? ', ' : '', pause > 0 ? make('span', 'wait', `paused for ${span(pause)}`) : '', !queue && pause <= 0 ? make('span', 'muted', rate) : '');
  const rows = (l.state.buckets ?? []).map((b, i) => {
    const window = b.window_seconds < 60 ? 60 : b.window_seconds;
    const limit = b.window_seconds < 60 ? (b.limit * 60) / b.window_seconds : b.limit;
    const unit = b.dimension === 'slow_down' ? 'requests' : b.dimension.replace('_long', '').replaceAll('_', ' ');
    const used = b.limit > 0 ? 100 * (1 - b.remaining / b.limit) : 0;
    return make('li', '', i ? make('span') : name(),
      make('span', '', `${number(limit)} ${unit} ${units[window] ?? `in ${span(window * 1000)}`} `, make('span', 'muted', told[b.source] ?? b.source)),
      gauge(used, `${Math.round(Math.max(0, used))} % used`), tail(i ? 0 : l.state.queue, `${number(b.rate)} per second used`));
  });
  if (!rows.length && (l.state.queue || pause > 0)) rows.push(make('li', '', name(), make('span', 'muted', 'no limit known'), make('span'), tail(l.state.queue, '')));
  const c = slotRow(make('span'), l.concurrency);
  if (c) {
    if (!rows.length) c.firstChild.replaceWith(name());
    rows.push(c);
  }
  return rows;
}

function slotRow(name, c) {
  if (!c?.limit && !c?.queue) return null;
  const used = c.limit ? (100 * c.running) / c.limit : 100;
  return make('li', '', name, make('span', '', c.limit ? `${c.limit} calls at once ` : 'calls at once ', make('span', 'muted', c.source ? `learned from ${c.source}` : '')),
    gauge(used, `${c.running} in flight`), make('span', '', waiting(c.queue)));
}

function upstream(u, now) {
  const state = { closed: 'ok', 'half-open': 'trouble', open: 'down' }[u.breaker] ?? 'trouble';
  const card = make('article', '', make('div', 'head', make('h3', '', u.name), make('span', 'muted mono', u.url), make('span', `tag ${state}`, `breaker ${u.breaker}`),
    u.waiting_at_breaker ? make('span', 'wait', `${u.waiting_at_breaker} wait at it`) : '',
    make('span', 'muted', `${number(u.retry_budget_remaining)} retries may start, ${number(u.concurrency.running)} calls in flight`)));
  const rows = (u.limiters ?? []).flatMap((l) => limitRows(l, now));
  const whole = slotRow(make('strong', '', 'whole upstream'), u.concurrency);
  if (whole) rows.unshift(whole);
  const notes = (u.breakers ?? []).map((b) => make('li', '', make('strong', '', b.scope), make('span', '', `breaker ${b.breaker} since ${clock(b.since, now)}`), make('span', 'muted mono', b.credential), waiting(b.waiting) || make('span')));
  for (const [what, list] of [['cached refusal', u.tripped], ['refusals do not clear', u.refusal_streaks]]) {
    for (const t of list ?? []) {
      const left = Date.parse(t.until) - now;
      notes.push(make('li', '', make('span', '', make('strong', '', t.model || 'all models'), ' ', make('span', 'muted mono', t.credential)), make('span', '', `${what}: ${t.outcome} `, make('span', 'muted', `${t.status} ${t.code ?? ''}`)),
        make('span', '', `since ${clock(t.first, now)}`), make('span', '', left > 0 ? `next probe in ${span(left)}` : 'the next request probes')));
    }
  }
  if (rows.length || notes.length) card.append(make('ul', 'limits', ...notes, ...rows));
  else card.append(make('p', 'muted', 'No limit is known yet: none was told, and none was met.'));
  if (u.omitted) card.append(make('p', 'muted', `${u.omitted} more are in status.json.`));
  return card;
}

// tick shows what changes with the time alone.
export function tick(known) {
  const now = Date.now() + known.skew;
  showVerdict(known.parts.verdict, now);
  for (const name of known.parts.order ?? []) {
    const u = known.upstreams[name];
    if (u && ((u.tripped ?? []).length || (u.refusal_streaks ?? []).length || (u.limiters ?? []).some((l) => l.state.gate_until))) return showUpstreams(known, now);
  }
}

function showUpstreams(known, now) {
  $('upstreams').replaceChildren(...(known.parts.order ?? []).filter((name) => known.upstreams[name]).map((name) => upstream(known.upstreams[name], now)));
}

export function showState(known) {
  const now = Date.now() + known.skew;
  if (!known.parts.verdict) return;
  showVerdict(known.parts.verdict, now);
  showTotals(known.parts.totals, known.parts.load);
  showAround(known.parts, now);
  showUpstreams(known, now);
}
