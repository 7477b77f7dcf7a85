"""One thing with one client library: sdk.py LIBRARY PORT ask|stream|tool|image PROMPT PICTURE."""

import base64
import json
import sys

library, port, action, prompt, picture = sys.argv[1:6]
server = "http://127.0.0.1:" + port
schema = {"type": "object", "properties": {"city": {"type": "string"}}}
function = {"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": schema}}


def openai():
    from openai import OpenAI

    return chat(OpenAI(base_url=server + "/v1", api_key="none"))


def llama_stack():
    from llama_stack_client import LlamaStackClient

    return chat(LlamaStackClient(base_url=server))


def chat(client):
    content = prompt
    if action == "image":
        content = [
            {"type": "text", "text": prompt},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + picture}},
        ]
    more = {"tools": [function]} if action == "tool" else {}
    answer = client.chat.completions.create(
        model="llama", messages=[{"role": "user", "content": content}], stream=action == "stream", **more
    )
    if action != "stream":
        choice = answer.choices[0]
        calls = [call.function.arguments for call in choice.message.tool_calls or []]
        return choice.message.content or choice.message.refusal, calls, choice.finish_reason
    text, ending = "", None
    for chunk in answer:
        for choice in chunk.choices:
            text += choice.delta.content or choice.delta.refusal or ""
            ending = choice.finish_reason or ending
    return text, [], ending


def anthropic():
    from anthropic import Anthropic

    client = Anthropic(base_url=server, api_key="none")
    content = prompt
    if action == "image":
        source = {"type": "base64", "media_type": "image/png", "data": picture}
        content = [{"type": "text", "text": prompt}, {"type": "image", "source": source}]
    request = {"model": "llama", "max_tokens": 100, "messages": [{"role": "user", "content": content}]}
    if action == "tool":
        request["tools"] = [{"name": "weather", "input_schema": schema}]
    if action == "stream":
        with client.messages.stream(**request) as stream:
            message = stream.get_final_message()
    else:
        message = client.messages.create(**request)
    text = "".join(block.text for block in message.content if block.type == "text")
    calls = [json.dumps(block.input) for block in message.content if block.type == "tool_use"]
    return text, calls, message.stop_reason


def ollama():
    from ollama import Client

    message = {"role": "user", "content": prompt}
    if action == "image":
        message["images"] = [base64.b64decode(picture)]
    more = {"tools": [function]} if action == "tool" else {}
    answer = Client(host=server).chat(model="llama", messages=[message], stream=action == "stream", **more)
    if action != "stream":
        calls = [json.dumps(dict(call.function.arguments)) for call in answer.message.tool_calls or []]
        return answer.message.content, calls, answer.done_reason
    text, ending = "", None
    for part in answer:
        text += part.message.content or ""
        ending = part.done_reason or ending
    return text, [], ending


try:
    said, calls, ending = globals()[library]()
    print(json.dumps({"text": said or "", "calls": calls, "ending": ending or ""}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error) + (" " + repr(error.__cause__) if error.__cause__ else "")}))
