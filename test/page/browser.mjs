// Opens the status page as the plan on standard input says, and prints what it saw as JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const plan = JSON.parse(readFileSync(0, 'utf8'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({
  executablePath: plan.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--lang=en-GB'],
});
const result = { views: [], problems: [] };
const began = Date.now();
// note tells on standard error how far it got: that is shown if it does not end.
const note = (text) => process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s: ${text}\n`);
const problem = (text) => result.problems.push(text);
const headlineOf = (page) => page.$eval('#lines li .text', (e) => e.textContent);

// open returns the page in one color scheme and width, when it shows what it must.
async function open(theme, width, name) {
  const page = await browser.newPage();
  const view = { name, headline: '', axe: [], errors: [], foreign: [], overflow: 0 };
  page.on('pageerror', (e) => view.errors.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warn') view.errors.push(m.text()); });
  page.on('request', (r) => { if (!r.url().startsWith(`${plan.url}/`) && !r.url().startsWith('data:')) view.foreign.push(r.url()); });
  await page.setViewport({ width, height: width < 700 ? 844 : 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' }]);
  await page.goto(plan.url, { waitUntil: 'domcontentloaded' });
  await page.waitForFunction((says, n) => new RegExp(says).test(document.querySelector('#lines li .text')?.textContent ?? '') && document.querySelectorAll('#list li').length >= n,
    { timeout: 60000 }, plan.says, Math.min(plan.requests, 60));
  view.headline = await headlineOf(page);
  view.overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return { page, view };
}

// check has axe-core look, at a dozen rows of the list: the others are like them. It runs in a world of its own,
// since the page's policy forbids what it does.
async function check(page, view) {
  const client = await page.createCDPSession();
  const { frameTree } = await client.send('Page.getFrameTree');
  const { executionContextId } = await client.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  await client.send('Runtime.evaluate', { expression: axe, contextId: executionContextId });
  const { result: found, exceptionDetails } = await client.send('Runtime.evaluate', {
    contextId: executionContextId, awaitPromise: true, returnByValue: true,
    expression: `axe.run({ exclude: ['#list li:nth-child(n+13)'] }, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map((n) => n.html + ' ' + n.failureSummary).join('; ')))`,
  });
  if (exceptionDetails) view.axe.push(`axe-core failed: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  else view.axe.push(...found.value);
  await client.detach();
}

const shoot = (page, name) => page.screenshot({ path: `${plan.dir}/${name}.png` });

for (const theme of ['light', 'dark']) {
  for (const width of [1400, 390]) {
    const name = `${plan.name}-${theme}-${width}`;
    const { page, view } = await open(theme, width, name);
    note(`${name} is open`);
    await page.bringToFront();
    await check(page, view);
    note('axe-core has looked');
    await shoot(page, name);
    if (plan.requests) await page.screenshot({ path: `${plan.dir}/${name}-tall.png`, clip: width === 1400 ? { x: 90, y: 0, width: 1220, height: 1120 } : { x: 0, y: 0, width: 390, height: 1900 }, captureBeyondViewport: true });
    result.views.push(view);
    note('pictures are taken');
    if (plan.use && theme === 'light' && width === 1400) await use(page, view, name);
    await page.close();
  }
}
if (plan.kill) await lose();
await browser.close();
process.stdout.write(JSON.stringify(result));

// use goes through the page with the keyboard alone.
async function use(page, view, name) {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName);
  const stops = [];
  for (let i = 0; i < 40 && (await focused()) !== 'row'; i++) {
    await page.keyboard.press('Tab');
    stops.push(await focused());
  }
  for (const stop of ['skip', 'by-outcome', 'by-model', 'by-credential', 'by-caller', 'hold', 'row']) {
    if (!stops.includes(stop)) problem(`${name}: the Tab key does not reach ${stop}: ${stops}`);
  }
  const seq = () => page.evaluate(() => document.activeElement.dataset.seq);
  const at = await seq();
  note(`at a request after ${stops.length} stops`);
  await page.keyboard.press('ArrowDown');
  if ((await seq()) === at) problem(`${name}: the arrow does not go to the next request`);
  await page.keyboard.press('End');
  const chosen = await seq();
  await new Promise((done) => setTimeout(done, 1500));
  if ((await seq()) !== chosen) problem(`${name}: the list moves under the focus`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#story[open]');
  note('a story is open');
  const story = await page.evaluate(() => ({ steps: document.querySelectorAll('#steps li').length, support: document.querySelector('#support').value, focus: document.activeElement.id }));
  if (story.steps < 3 || story.focus !== 'story-title') problem(`${name}: the story has ${story.steps} steps, and the focus is at ${story.focus}`);
  for (const part of ['Outrigger request id: or-', 'Time: 20', 'Endpoint: POST /v1/', 'Model: ', 'Status: ', 'x-outrigger-attempts: ', 'Attempts:']) {
    if (!story.support.includes(part)) problem(`${name}: "${part}" is not in what support gets: ${story.support}`);
  }
  if (story.support.includes('-team')) problem(`${name}: the caller's name is in what support gets: ${story.support}`);
  const all = await page.evaluate(() => document.documentElement.innerText + document.querySelector('#support').value);
  if (/secret prompt|sk-first|sk-second/.test(all)) problem(`${name}: the page shows a prompt or a key`);
  await check(page, view);
  await shoot(page, `${name}-story`);
  await page.evaluate(() => document.querySelector('#copy').focus());
  await browser.defaultBrowserContext().overridePermissions(plan.url, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#copied').textContent === 'Copied.', { timeout: 5000 });
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  if (copied !== story.support) problem(`${name}: copied ${JSON.stringify(copied)}`);
  await page.keyboard.press('Escape');
  if (await page.$('#story[open]')) problem(`${name}: the Escape key does not close the story`);
  if ((await seq()) !== chosen) problem(`${name}: the focus does not return to the request`);

  await page.evaluate(() => document.activeElement.blur());
  note('the story is closed');
  const outcomes = await page.$$eval('#by-outcome option', (all) => all.map((o) => o.value));
  const other = outcomes.find((o) => o.startsWith('=') && o !== '=completed');
  if (!other) problem(`${name}: nothing but completed requests: ${outcomes}`);
  await page.select('#by-outcome', other ?? '=completed');
  const shown = await page.$$eval('#list .how', (all) => [...new Set(all.map((e) => e.textContent.split(' ')[1]))]);
  if (other && (shown.length !== 1 || `=${shown[0]}` !== other)) problem(`${name}: the filter ${other} shows ${shown}`);
  await page.select('#by-outcome', '');
  await page.select('#by-caller', '=second-team');
  const callers = await page.$$eval('#list .what', (all) => [...new Set(all.map((e) => e.textContent.split('by ')[1]))]);
  if (callers.join() !== 'second-team') problem(`${name}: the filter second-team shows requests of ${callers}`);
  await page.select('#by-caller', '');

  note('filtered');
  const tree = await page.accessibility.snapshot();
  const names = [];
  (function walk(node) {
    names.push(`${node.role} ${node.name ?? ''}`);
    (node.children ?? []).forEach(walk);
  })(tree);
  for (const wanted of ['heading Last requests', 'heading Upstreams', 'button Pause the list', 'combobox Outcome', 'heading State']) {
    if (!names.some((n) => n.startsWith(wanted))) problem(`${name}: a screen reader does not find "${wanted}" in ${names.slice(0, 60).join(' | ')}`);
  }
}

// lose ends Outrigger, and looks at what the page says then.
async function lose() {
  note('the connection is to be lost');
  const { page } = await open('dark', 1400, 'lost');
  const before = await headlineOf(page);
  process.kill(plan.kill, 'SIGKILL');
  await page.waitForFunction(() => /^not connected since \d\d:\d\d:\d\d/.test(document.querySelector('#connection').textContent), { timeout: 15000 });
  const after = await headlineOf(page);
  if (before.split(',')[0] !== after.split(',')[0]) problem(`after the connection was lost: ${after}`);
  await page.$eval('#list .row', (e) => e.click());
  await page.waitForSelector('#story[open]');
  await page.keyboard.press('Escape');
  await shoot(page, `${plan.name}-lost`);
}
