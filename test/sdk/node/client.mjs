// Makes the calls that the plan in argv[2] names, with the openai package as an
// application would, and prints one JSON object: the version and one outcome per call.
//
// Nothing here knows of Outrigger: the client reads OPENAI_BASE_URL and OPENAI_API_KEY.

import { createHash } from 'node:crypto';
import OpenAI, { toFile, APIError } from 'openai';
import { VERSION } from 'openai/version';

const model = 'gpt-4.1';
const messages = [{ role: 'user', content: 'Why does a canoe need an outrigger?' }];
const wave = Buffer.concat([Buffer.from('RIFF\x24\x00\x00\x00WAVEfmt ', 'latin1'), Buffer.alloc(20000)]);

const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());
const digest = (data) => ({ bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') });

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

  async chat_stream(client, options) {
    let text = '', finish = null, tokens = null;
    const request = { model, messages, stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await client.chat.completions.create(request, options)) {
      for (const choice of chunk.choices) {
        text += choice.delta.content ?? '';
        finish = choice.finish_reason ?? finish;
      }
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    return { text, finish, tokens };
  },

  async responses(client, options) {
    const answer = await client.responses.create({ model, input: messages[0].content }, options);
    return { text: answer.output_text, status: answer.status };
  },

  async responses_stream(client, options) {
    let text = '', last = null;
    for await (const event of await client.responses.create({ model, input: 'Why?', stream: true }, options)) {
      last = event.type;
      if (event.type === 'response.output_text.delta') text += event.delta;
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
};

async function outcome(client, name, options) {
  const start = performance.now();
  const result = {};
  try {
    result.value = await calls[name](client, options);
  } catch (e) {
    // An untyped error is a finding, and the report of it.
    result.error = { class: e.constructor.name, message: e.message };
    if (e instanceof APIError) {
      const { status, code, type, requestID } = e;
      Object.assign(result.error, { status, code, type, request_id: requestID });
      result.error.headers = e.headers ? Object.fromEntries(e.headers.entries()) : undefined;
    }
  }
  result.seconds = (performance.now() - start) / 1000;
  return result;
}

const plan = JSON.parse(process.argv[2]);
const options = {};
if (plan.timeout != null) options.timeout = plan.timeout * 1000;
if (plan.max_retries != null) options.maxRetries = plan.max_retries;
const client = new OpenAI();
const outcomes = [];
if (plan.together) outcomes.push(...(await Promise.all(plan.calls.map((name) => outcome(client, name, options)))));
else for (const name of plan.calls) outcomes.push(await outcome(client, name, options));
process.stdout.write(JSON.stringify({ version: `openai-node ${VERSION}, Node ${process.version}`, outcomes }));
