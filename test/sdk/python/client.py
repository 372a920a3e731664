"""Makes the calls that the plan on standard input names, with the openai package as an
application would, and prints one JSON object: the version and one outcome per call.

Nothing here knows of Outrigger: the client reads OPENAI_BASE_URL and OPENAI_API_KEY.
"""

import concurrent.futures
import hashlib
import json
import platform
import sys
import time

import httpx2
import openai

MODEL = "gpt-4.1"
MESSAGES = [{"role": "user", "content": "Why does a canoe need an outrigger?"}]
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20000)


def digest(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def text(code):
    return None if code is None else str(code)  # some upstreams have numbers


def chat(client):
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES)
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason, "tokens": answer.usage.total_tokens}


def chat_request(user):
    return {"model": MODEL, "messages": MESSAGES, "stream_options": {"include_usage": True}, **user}


def chat_stream(client, **user):
    text, finish, tokens = "", None, None
    for chunk in client.chat.completions.create(stream=True, **chat_request(user)):
        for choice in chunk.choices or []:
            text += (choice.delta and choice.delta.content) or ""
            finish = choice.finish_reason or finish
        tokens = chunk.usage.total_tokens if chunk.usage else tokens
    return {"text": text, "finish": finish, "tokens": tokens}


def chat_helper(client, **user):
    text = ""
    with client.chat.completions.stream(**chat_request(user)) as stream:
        for event in stream:
            text += event.delta if event.type == "content.delta" else ""
        return {"text": text, "finish": stream.get_final_completion().choices[0].finish_reason}


def chat_raw(client, **user):
    with client.chat.completions.with_streaming_response.create(stream=True, **chat_request(user)) as answer:
        return digest(b"".join(answer.iter_bytes()))


def completions_request(user):
    return {"model": "gpt-3.5-turbo-instruct", "prompt": "Why does a canoe", "stream": True, **user}


def completions_stream(client, **user):
    text, finish = "", None
    for chunk in client.completions.create(**completions_request(user)):
        for choice in chunk.choices or []:
            text += choice.text
            finish = choice.finish_reason or finish
    return {"text": text, "finish": finish}


def completions_raw(client, **user):
    with client.completions.with_streaming_response.create(**completions_request(user)) as answer:
        return digest(b"".join(answer.iter_bytes()))


def responses(client):
    answer = client.responses.create(model=MODEL, input="Why does a canoe need an outrigger?")
    return {"text": answer.output_text, "status": answer.status}


def responses_stream(client, **user):
    text, last = "", None
    for event in client.responses.create(model=MODEL, input="Why?", stream=True, **user):
        last = event.type
        if event.type == "response.output_text.delta":
            text += event.delta
    return {"text": text, "last": last}


def responses_background(client):
    numbers, text, last = [], "", None
    for event in client.responses.create(model=MODEL, input="Why?", stream=True, background=True):
        numbers.append(event.sequence_number)
        last = event.type
        if event.type == "response.output_text.delta":
            text += event.delta
    return {"numbers": numbers, "text": text, "last": last}


def responses_helper(client, **user):
    text, last = "", None
    with client.responses.stream(model=MODEL, input="Why?", **user) as stream:
        for event in stream:
            last = event.type
            text += event.delta if event.type == "response.output_text.delta" else ""
    return {"text": text, "last": last}


def responses_raw(client, **user):
    with client.responses.with_streaming_response.create(model=MODEL, input="Why?", stream=True, **user) as answer:
        return digest(b"".join(answer.iter_bytes()))


def assistants_helper(client, user):
    last = None
    extra = {"user": user}
    with client.beta.threads.runs.stream(thread_id="thread_1", assistant_id="asst_1", extra_body=extra) as stream:
        for event in stream:
            last = event.event
    return {"last": last}


def images_stream(client, **user):
    last, size = None, 0
    for event in client.images.generate(model="gpt-image-1", prompt="a canoe", stream=True, partial_images=2, **user):
        last, size = event.type, len(event.b64_json)
    return {"last": last, "size": size}


def transcription_stream(client, user):
    text, last = "", None
    file = ("speech.wav", WAVE)
    for event in client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file, prompt=user, stream=True):
        last = event.type
        text += event.delta if event.type == "transcript.text.delta" else ""
    return {"text": text, "last": last}


def embeddings(client):
    answer = client.embeddings.create(model="text-embedding-3-small", input=["canoe", "outrigger"])
    return {"vectors": len(answer.data), "dimensions": len(answer.data[0].embedding)}


def files(client):
    content = b'{"custom_id":"1"}\n' * 5000
    made = client.files.create(file=("input.jsonl", content), purpose="batch")
    got = client.files.retrieve(made.id)
    listed = any(f.id == made.id for f in client.files.list())
    back = client.files.content(made.id).read()
    gone = client.files.delete(made.id)
    return {"name": got.filename, "bytes": got.bytes, "listed": listed, "same": back == content, "deleted": gone.deleted}


def input_file(client):
    return client.files.create(file=("input.jsonl", b'{"custom_id":"1"}\n'), purpose="batch")


def upload(client):
    return {"bytes": input_file(client).bytes}


def new_batch(client):
    return client.batches.create(
        input_file_id=input_file(client).id, endpoint="/v1/chat/completions", completion_window="24h"
    )


def batches(client):
    made = new_batch(client)
    got = client.batches.retrieve(made.id)
    listed = any(b.id == made.id for b in client.batches.list())
    return {"endpoint": got.endpoint, "same": got.id == made.id, "listed": listed}


def batch_create(client):
    return {"endpoint": new_batch(client).endpoint}


def images(client):
    answer = client.images.generate(model="gpt-image-2.5-flare", prompt="a canoe with an outrigger", n=1)
    return {"images": len(answer.data), "filled": bool(answer.data[0].b64_json or answer.data[0].url)}


def transcription(client):
    answer = client.audio.transcriptions.create(model="gpt-transcribe", file=("speech.wav", WAVE))
    return {"text": answer.text}


def speech(client):
    answer = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="Steady as she goes.")
    return digest(answer.read())


def models(client):
    listed = sorted(m.id for m in client.models.list())
    return {"listed": listed, "got": client.models.retrieve(MODEL).id}


def moderations(client):
    answer = client.moderations.create(model="omni-moderation-latest", input="A calm sea.")
    return {"flagged": answer.results[0].flagged}


def elsewhere(_):
    """Another server than OpenAI's, by whatever way this process has to the outside."""
    return {"text": httpx2.get("https://other.example/").text}


def outcome(client, call):
    """call is a function's name, with what the upstream is to do behind an @."""
    start = time.monotonic()
    result = {}
    name, _, user = call.partition("@")
    try:
        result["value"] = globals()[name](client, **({"user": user} if user else {}))
    except openai.APIStatusError as e:
        result["error"] = {
            "class": type(e).__name__,
            "status": e.status_code,
            "code": text(e.code),
            "type": e.type,
            "message": e.message,
            "request_id": e.request_id,
            "headers": {k.lower(): v for k, v in e.response.headers.items()},
        }
    except openai.APIError as e:
        result["error"] = {"class": type(e).__name__, "code": text(e.code), "type": e.type, "message": e.message}
    except Exception as e:  # an untyped error is a finding, and the report of it
        result["error"] = {"class": f"{type(e).__module__}.{type(e).__name__}", "message": str(e)}
    result["seconds"] = time.monotonic() - start
    return result


def main():
    plan = json.load(sys.stdin)
    options = {k: plan[k] for k in ("timeout", "max_retries") if plan.get(k) is not None}
    client = openai.OpenAI(**options)
    calls = plan["calls"]
    workers = plan.get("workers") or (len(calls) if plan.get("together") else 1)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(lambda name: outcome(client, name), calls))
    version = f"openai-python {openai.__version__}, {platform.python_implementation()} {platform.python_version()}"
    json.dump({"version": version, "outcomes": outcomes}, sys.stdout)


main()
