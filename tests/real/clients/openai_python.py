"""OpenAI's client for Python. Says on stdout what it makes of each answer; see serving.py."""

import asyncio
import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import openai


def main() -> None:
    said = json.load(sys.stdin)
    tasks = said["tasks"]
    with ThreadPoolExecutor(len(tasks)) as threads:
        outcomes = list(threads.map(lambda task: outcome(said, task), tasks))
    json.dump(outcomes, sys.stdout)


def outcome(said, task):
    """What becomes of a task: the images, or the error. `again` repeats it after an error."""
    for _ in range(1 + task.get("again", 0)):
        try:
            return {"images": carry_out(said, task), "error": None, "status": None}
        except openai.APIError as error:
            status = getattr(error, "status_code", None)
            failed = {"images": [], "error": type(error).__name__, "status": status}
    return failed


def carry_out(said, task):
    access = {"base_url": said["base_url"], "api_key": said["key"]}
    access |= {name: task[name] for name in ("timeout", "max_retries") if name in task}
    parameters, parallel = dict(task["parameters"]), task.get("parallel", 0)
    if parallel:
        return asyncio.run(generate_in_parallel(access, parameters, parallel))
    images = openai.OpenAI(**access).images
    if image := task.get("image"):
        answer = images.edit(image=pathlib.Path(image), **parameters)
    else:
        answer = images.generate(**parameters)
    if not parameters.get("stream"):
        return [item.model_dump(exclude_none=True) for item in answer.data]
    return [{"type": event.type, "b64_json": event.b64_json} for event in answer]


async def generate_in_parallel(access, parameters, count):
    """Send the same parameters several times at once, with the asynchronous client."""
    async with openai.AsyncOpenAI(**access) as client:
        requests = [client.images.generate(**parameters) for _ in range(count)]
        answers = await asyncio.gather(*requests)
    return [item.model_dump(exclude_none=True) for answer in answers for item in answer.data]


main()
