// Vercel's AI SDK. Says on stdout what it makes of each answer; see serving.py.

import fs from 'node:fs';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateImage } from 'ai';

const said = JSON.parse(fs.readFileSync(0, 'utf8'));
const access = { baseURL: said.base_url, apiKey: said.key };
const providers = {
  openai: createOpenAI(access),
  compatible: createOpenAICompatible({ name: 'flux', ...access }),
};

// What becomes of a task: the images, or the error. `again` repeats it after an error.
async function outcome(task) {
  let failed;
  for (let left = 1 + (task.again ?? 0); left > 0; left--) {
    try {
      return { images: await carryOut(task), error: null, status: null };
    } catch (error) {
      const status = error.statusCode ?? error.lastError?.statusCode ?? null;
      failed = { images: [], error: error.name, status };
    }
  }
  return failed;
}

async function carryOut(task) {
  const { model, prompt, ...more } = task.parameters;
  const signal = 'timeout' in task ? AbortSignal.timeout(1000 * task.timeout) : undefined;
  const text = task.image ? { text: prompt, images: [fs.readFileSync(task.image)] } : prompt;
  const answer = await generateImage({
    model: providers[task.provider ?? 'compatible'].imageModel(model),
    prompt: text,
    abortSignal: signal,
    ...('max_retries' in task ? { maxRetries: task.max_retries } : {}),
    ...more,
  });
  return answer.images.map((image) => ({ b64_json: image.base64 }));
}

console.log(JSON.stringify(await Promise.all(said.tasks.map(outcome))));
