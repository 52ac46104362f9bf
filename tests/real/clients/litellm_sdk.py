"""LiteLLM as a library. Says on stdout what it makes of each answer; see serving.py."""

import contextlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import litellm


def main() -> None:
    said = json.load(sys.stdin)
    tasks = said["tasks"]
    with contextlib.redirect_stdout(sys.stderr), ThreadPoolExecutor(len(tasks)) as threads:
        outcomes = list(threads.map(lambda task: outcome(said, task), tasks))  # it prints advice
    json.dump(outcomes, sys.stdout)


def outcome(said, task):
    """What becomes of a task: the images, or the error. `again` repeats it after an error."""
    parameters = dict(task["parameters"])
    parameters["model"] = f"openai/{parameters['model']}"
    parameters |= {name: task[name] for name in ("timeout", "max_retries") if name in task}
    for _ in range(1 + task.get("again", 0)):
        try:
            answer = litellm.image_generation(
                api_base=said["base_url"], api_key=said["key"], **parameters
            )
        except Exception as error:  # noqa: BLE001 - it has none of its own for all
            status = getattr(error, "status_code", None)
            failed = {"images": [], "error": type(error).__name__, "status": status}
        else:
            images = [{"url": item.url, "b64_json": item.b64_json} for item in answer.data]
            return {"images": images, "error": None, "status": None}
    return failed


main()
