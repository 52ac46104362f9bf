// OpenAI's client for Node. Says on stdout what it makes of each answer; see serving.py.

import fs from 'node:fs';
import OpenAI from 'openai';

const said = JSON.parse(fs.readFileSync(0, 'utf8'));

// What becomes of a task: the images, or the error. `again` repeats it after an error.
async function outcome(task) {
  let failed;
  for (let left = 1 + (task.again ?? 0); left > 0; left--) {
    try {
      return { images: await carryOut(task), error: null, status: null };
    } catch (error) {
      failed = { images: [], error: error.constructor.name, status: error.status ?? null };
    }
  }
  return failed;
}

async function carryOut(task) {
  const access = { baseURL: said.base_url, apiKey: said.key };
  if ('timeout' in task) access.timeout = 1000 * task.timeout;
  if ('max_retries' in task) access.maxRetries = task.max_retries;
  const { images } = new OpenAI(access);
  const { parameters } = task;
  const answer = task.image
    ? await images.edit({ ...parameters, image: fs.createReadStream(task.image) })
    : await images.generate(parameters);
  if (!parameters.stream) return answer.data;
  const found = [];
  for await (const event of answer) found.push({ type: event.type, b64_json: event.b64_json });
  return found;
}

console.log(JSON.stringify(await Promise.all(said.tasks.map(outcome))));
