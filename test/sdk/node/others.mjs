// Makes one call with a client other than openai's own, as an application would, and
// prints one JSON object: the version, whether it succeeded, the error, the seconds.
//
//     node others.mjs CLIENT BASE_URL [RETRIES]
//
// With CREATES set in the environment the call creates something.
// Nothing here knows of Outrigger. Without RETRIES the client has its own default.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [, , name, baseURL, retries] = process.argv;
const model = 'gpt-4.1';
const prompt = 'Why does a canoe need an outrigger?';
const maxRetries = retries === undefined ? undefined : Number(retries);
const options = maxRetries === undefined ? {} : { maxRetries };
const store = process.env.CREATES ? { store: true } : {};

const clients = {
  async 'ai-compatible'() {
    const { generateText } = await import('ai');
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const provider = createOpenAICompatible({ name: 'any', baseURL, apiKey: 'sk-test' });
    return (await generateText({ model: provider(model), prompt, providerOptions: { any: store }, ...options })).text;
  },

  async 'ai-openai'() {
    const { generateText } = await import('ai');
    const { createOpenAI } = await import('@ai-sdk/openai');
    const provider = createOpenAI({ baseURL, apiKey: 'sk-test' });
    return (await generateText({ model: provider.chat(model), prompt, providerOptions: { openai: store }, ...options })).text;
  },

  async langchain() {
    const { ChatOpenAI } = await import('@langchain/openai');
    const chat = new ChatOpenAI({ model, apiKey: 'sk-test', configuration: { baseURL }, modelKwargs: store, ...options });
    return (await chat.invoke(prompt)).content;
  },

  async openai() {
    const { default: OpenAI } = await import('openai');
    const client = new OpenAI({ baseURL, apiKey: 'sk-test', ...options });
    const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: prompt }], ...store });
    return answer.choices[0].message.content;
  },

  async anthropic() {
    const { default: Anthropic } = await import('@anthropic-ai/sdk');
    const client = new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ''), apiKey: 'sk-test', ...options });
    const messages = [{ role: 'user', content: prompt }];
    const params = { model: 'claude-sonnet-5', max_tokens: 64, messages };
    if (process.env.CREATES) return (await client.messages.batches.create({ requests: [{ custom_id: 'a', params }] })).id;
    return (await client.messages.create(params)).content[0].text;
  },
};

const packages = {
  'ai-compatible': 'ai', 'ai-openai': 'ai', langchain: '@langchain/openai', openai: 'openai', anthropic: '@anthropic-ai/sdk',
};

function version(name) {
  const paths = createRequire(import.meta.url).resolve.paths(name);
  for (const path of paths) {
    try {
      return `${name} ${JSON.parse(readFileSync(`${path}/${name}/package.json`)).version}`;
    } catch {}
  }
  return name;
}

const start = performance.now();
const result = { version: version(packages[name]), ok: false };
try {
  result.ok = (await clients[name]()) !== '';
} catch (e) {
  result.error = `${e.constructor.name}: ${e.message}`;
}
result.seconds = (performance.now() - start) / 1000;
process.stdout.write(JSON.stringify(result), () => process.exit(0));
