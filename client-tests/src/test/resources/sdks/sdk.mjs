// One thing with one client library: sdk.mjs LIBRARY PORT ask|stream|tool|image PROMPT PICTURE.

const [library, port, action, prompt, picture] = process.argv.slice(2);
const server = 'http://127.0.0.1:' + port;
const tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

async function openai() {
  const { default: OpenAI } = await import('openai');
  return chat(new OpenAI({ baseURL: server + '/v1', apiKey: 'none' }));
}

async function llama_stack() {
  const { default: LlamaStackClient } = await import('llama-stack-client');
  return chat(new LlamaStackClient({ baseURL: server }));
}

async function chat(client) {
  const content = action === 'image'
    ? [
        { type: 'text', text: prompt },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,' + picture } },
      ]
    : prompt;
  const answer = await client.chat.completions.create({
    model: 'llama',
    messages: [{ role: 'user', content }],
    stream: action === 'stream',
    ...(action === 'tool' ? { tools: [tool] } : {}),
  });
  if (action !== 'stream') {
    const { message, finish_reason: ending } = answer.choices[0];
    const calls = (message.tool_calls ?? []).map((call) => call.function.arguments);
    return { text: message.content ?? message.refusal, calls, ending };
  }
  const reply = { text: '', calls: [], ending: '' };
  for await (const chunk of answer) {
    for (const choice of chunk.choices) {
      reply.text += choice.delta.content || choice.delta.refusal || '';
      reply.ending = choice.finish_reason ?? reply.ending;
    }
  }
  return reply;
}

async function ollama() {
  const { Ollama } = await import('ollama');
  const message = { role: 'user', content: prompt, ...(action === 'image' ? { images: [picture] } : {}) };
  const answer = await new Ollama({ host: server }).chat({
    model: 'llama',
    messages: [message],
    stream: action === 'stream',
    ...(action === 'tool' ? { tools: [tool] } : {}),
  });
  if (action !== 'stream') {
    const calls = (answer.message.tool_calls ?? []).map((call) => JSON.stringify(call.function.arguments));
    return { text: answer.message.content, calls, ending: answer.done_reason };
  }
  const reply = { text: '', calls: [], ending: '' };
  for await (const part of answer) {
    reply.text += part.message.content;
    reply.ending = part.done_reason ?? reply.ending;
  }
  return reply;
}

try {
  const reply = await { openai, llama_stack, ollama }[library]();
  console.log(JSON.stringify({ ...reply, text: reply.text ?? '' }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, message: error.message }));
}
