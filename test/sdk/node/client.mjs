// Makes the calls that the plan on standard input names, with the openai package as an
// application would, and prints one JSON object: the version and one outcome per call.
//
// Nothing here knows of Outrigger: the client reads OPENAI_BASE_URL and OPENAI_API_KEY.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import OpenAI, { toFile, APIError } from 'openai';
import { VERSION } from 'openai/version';

const model = 'gpt-4.1';
const messages = [{ role: 'user', content: 'Why does a canoe need an outrigger?' }];
const wave = Buffer.concat([Buffer.from('RIFF\x24\x00\x00\x00WAVEfmt ', 'latin1'), Buffer.alloc(20000)]);

const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());
const digest = (data) => ({ bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') });

const chatRequest = (user) => ({ model, messages, stream: true, stream_options: { include_usage: true }, user });
const completionsRequest = (user) => ({ model: 'gpt-3.5-turbo-instruct', prompt: 'Why does a canoe', stream: true, user });

async function some(pages, want) {
  for await (const item of pages) if (want(item)) return true;
  return false;
}

async function inputFile(client, options) {
  const file = await toFile(Buffer.from('{"custom_id":"1"}\n'), 'input.jsonl');
  return client.files.create({ file, purpose: 'batch' }, options);
}

async function newBatch(client, options) {
  const { id } = await inputFile(client, options);
  const request = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' };
  return client.batches.create(request, options);
}

// The options stand beside each call because only a timeout given there is announced
// to the server; one given to the client is not.
const calls = {
  async chat(client, options) {
    const answer = await client.chat.completions.create({ model, messages }, options);
    const [choice] = answer.choices;
    return { text: choice.message.content, finish: choice.finish_reason, tokens: answer.usage.total_tokens };
  },

  async chat_stream(client, options, user) {
    let text = '', finish = null, tokens = null;
    for await (const chunk of await client.chat.completions.create(chatRequest(user), options)) {
      for (const choice of chunk.choices ?? []) {
        text += choice.delta?.content ?? '';
        finish = choice.finish_reason ?? finish;
      }
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    return { text, finish, tokens };
  },

  async chat_helper(client, options, user) {
    let text = '';
    const stream = client.chat.completions.stream(chatRequest(user), options);
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return { text, finish: (await stream.finalChatCompletion()).choices[0].finish_reason };
  },

  async chat_raw(client, options, user) {
    return digest(await bytesOf(await client.chat.completions.create(chatRequest(user), options).asResponse()));
  },

  async completions_stream(client, options, user) {
    let text = '', finish = null;
    for await (const chunk of await client.completions.create(completionsRequest(user), options)) {
      for (const choice of chunk.choices ?? []) {
        text += choice.text;
        finish = choice.finish_reason ?? finish;
      }
    }
    return { text, finish };
  },

  async completions_raw(client, options, user) {
    return digest(await bytesOf(await client.completions.create(completionsRequest(user), options).asResponse()));
  },

  async responses(client, options) {
    const answer = await client.responses.create({ model, input: messages[0].content }, options);
    return { text: answer.output_text, status: answer.status };
  },

  async responses_stream(client, options, user) {
    let text = '', last = null;
    for await (const event of await client.responses.create({ model, input: 'Why?', stream: true, user }, options)) {
      last = event.type;
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    return { text, last };
  },

  async responses_helper(client, options, user) {
    let text = '', last = null;
    for await (const event of client.responses.stream({ model, input: 'Why?', user }, options)) {
      last = event.type;
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    return { text, last };
  },

  async responses_raw(client, options, user) {
    const request = { model, input: 'Why?', stream: true, user };
    return digest(await bytesOf(await client.responses.create(request, options).asResponse()));
  },

  async assistants_helper(client, options, user) {
    let last = null;
    for await (const event of client.beta.threads.runs.stream('thread_1', { assistant_id: 'asst_1', user }, options)) {
      last = event.event;
    }
    return { last };
  },

  async images_stream(client, options, user) {
    let last = null, size = 0;
    const request = { model: 'gpt-image-1', prompt: 'a canoe', stream: true, partial_images: 2, user };
    for await (const event of await client.images.generate(request, options)) {
      last = event.type;
      size = event.b64_json.length;
    }
    return { last, size };
  },

  async transcription_stream(client, options, user) {
    let text = '', last = null;
    const file = await toFile(wave, 'speech.wav');
    const request = { model: 'gpt-4o-transcribe', file, prompt: user, stream: true };
    for await (const event of await client.audio.transcriptions.create(request, options)) {
      last = event.type;
      if (event.type === 'transcript.text.delta') text += event.delta;
    }
    return { text, last };
  },

  async embeddings(client, options) {
    const request = { model: 'text-embedding-3-small', input: ['canoe', 'outrigger'] };
    const { data } = await client.embeddings.create(request, options);
    return { vectors: data.length, dimensions: data[0].embedding.length };
  },

  async files(client, options) {
    const content = Buffer.from('{"custom_id":"1"}\n'.repeat(5000));
    const made = await client.files.create({ file: await toFile(content, 'input.jsonl'), purpose: 'batch' }, options);
    const got = await client.files.retrieve(made.id, options);
    const listed = await some(client.files.list({}, options), (f) => f.id === made.id);
    const back = await bytesOf(await client.files.content(made.id, options));
    const gone = await client.files.delete(made.id, options);
    return { name: got.filename, bytes: got.bytes, listed, same: back.equals(content), deleted: gone.deleted };
  },

  async upload(client, options) {
    return { bytes: (await inputFile(client, options)).bytes };
  },

  async batches(client, options) {
    const made = await newBatch(client, options);
    const got = await client.batches.retrieve(made.id, options);
    const listed = await some(client.batches.list({}, options), (b) => b.id === made.id);
    return { endpoint: got.endpoint, same: got.id === made.id, listed };
  },

  async batch_create(client, options) {
    return { endpoint: (await newBatch(client, options)).endpoint };
  },

  async images(client, options) {
    const request = { model: 'gpt-image-2.5-flare', prompt: 'a canoe with an outrigger', n: 1 };
    const { data } = await client.images.generate(request, options);
    return { images: data.length, filled: Boolean(data[0].b64_json || data[0].url) };
  },

  async transcription(client, options) {
    const request = { model: 'gpt-transcribe', file: await toFile(wave, 'speech.wav') };
    return { text: (await client.audio.transcriptions.create(request, options)).text };
  },

  async speech(client, options) {
    const request = { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Steady as she goes.' };
    return digest(await bytesOf(await client.audio.speech.create(request, options)));
  },

  async models(client, options) {
    const listed = [];
    for await (const m of client.models.list(options)) listed.push(m.id);
    return { listed: listed.sort(), got: (await client.models.retrieve(model, options)).id };
  },

  async moderations(client, options) {
    const request = { model: 'omni-moderation-latest', input: 'A calm sea.' };
    return { flagged: (await client.moderations.create(request, options)).results[0].flagged };
  },

  // Another server than OpenAI's, by whatever way this process has to the outside.
  async elsewhere() {
    return { text: await (await fetch('https://other.example/')).text() };
  },

  // The package makes a wss:// URL of any base URL.
  async realtime(client) {
    const { OpenAIRealtimeWS } = await import('openai/realtime/ws');
    const socket = new OpenAIRealtimeWS({ model: 'gpt-realtime' }, client);
    const events = [];
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('event', (event) => {
        events.push(event.type);
        if (events.length === 1) socket.send({ type: 'input_audio_buffer.commit' });
        else socket.close();
      });
      socket.socket.on('close', resolve);
    });
    return { events, url: socket.url.protocol };
  },
};

// A call is a function's name, with what the upstream is to do behind an @.
async function outcome(client, call, options) {
  const start = performance.now();
  const result = {};
  const [name, user] = call.split('@');
  try {
    const value = calls[name](client, options, user);
    result.value = await (name.endsWith('_helper') ? Promise.race([value, unsettled(20000)]) : value);
  } catch (e) {
    // An untyped error is a finding, and the report of it.
    result.error = { class: e.constructor.name, message: e.message };
    if (e instanceof APIError) {
      const { status, code, type, requestID } = e;
      // Some upstreams have numbers for codes.
      Object.assign(result.error, { status, code: code == null ? undefined : String(code), type, request_id: requestID });
      result.error.headers = e.headers ? Object.fromEntries(e.headers.entries()) : undefined;
    }
  }
  result.seconds = (performance.now() - start) / 1000;
  return result;
}

// When a stream ends cleanly and too early, the SDK's stream helper throws where nobody
// can catch it, and its promise stays open: that ends an application.
process.on('uncaughtException', () => {});
const unsettled = (ms) =>
  new Promise((_, reject) => setTimeout(() => reject(new Error('the helper never settles')), ms));

const plan = JSON.parse(readFileSync(0, 'utf8'));
const options = {};
if (plan.timeout != null) options.timeout = plan.timeout * 1000;
if (plan.max_retries != null) options.maxRetries = plan.max_retries;
const client = new OpenAI();
const outcomes = [];
let next = 0;
async function work() {
  for (let i = next++; i < plan.calls.length; i = next++) outcomes[i] = await outcome(client, plan.calls[i], options);
}
const workers = plan.workers || (plan.together ? plan.calls.length : 1);
await Promise.all(Array.from({ length: workers }, work));
process.stdout.write(JSON.stringify({ version: `openai-node ${VERSION}, Node ${process.version}`, outcomes }), () => process.exit(0)); // past the timers
