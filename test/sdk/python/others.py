"""Makes one call with a client, as an application would, and prints one JSON object: the
version, whether it succeeded, the error, the seconds.

    python others.py CLIENT BASE_URL [RETRIES]

Nothing here knows of Outrigger. Without RETRIES the client has its own default. With CREATES
set in the environment the call creates something.
"""

import json
import os
import sys
import time

PROMPT = [{"role": "user", "content": "Why does a canoe need an outrigger?"}]


def use_openai(base, options):
    import openai

    client = openai.OpenAI(base_url=base, api_key="sk-test", **options)
    store = {"store": True} if os.environ.get("CREATES") else {}
    answer = client.chat.completions.create(model="gpt-4.1", messages=PROMPT, **store)
    return answer.choices[0].message.content


def use_anthropic(base, options):
    import anthropic

    client = anthropic.Anthropic(base_url=base.removesuffix("/v1"), api_key="sk-test", **options)
    params = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": PROMPT}
    if os.environ.get("CREATES"):
        return client.messages.batches.create(requests=[{"custom_id": "a", "params": params}]).id
    answer = client.messages.create(**params)
    return answer.content[0].text


def main():
    name, base = sys.argv[1:3]
    options = {"max_retries": int(sys.argv[3])} if len(sys.argv) > 3 else {}
    start = time.monotonic()
    result = {"ok": False}
    try:
        result["ok"] = bool({"openai": use_openai, "anthropic": use_anthropic}[name](base, options))
    except Exception as e:  # whatever it is, it is what an application sees
        result["error"] = f"{type(e).__name__}: {e}"
    result["seconds"] = time.monotonic() - start
    result["version"] = f"{name}-python {sys.modules[name].__version__}"
    json.dump(result, sys.stdout)


main()
