"""Reads a stream line by line with Python's standard library alone.

Usage: TOKENHUB_API_KEY=tokenhub_... python3 examples/stream.py
"""

import json
import os
import sys
import urllib.request

request = urllib.request.Request(
    os.environ.get("TOKENHUB_URL", "http://127.0.0.1:8080") + "/v1/chat",
    headers={
        "Content-Type": "application/json",
        "Authorization": "Bearer " + os.environ["TOKENHUB_API_KEY"],
    },
    data=json.dumps(
        {
            "request": {
                "messages": [{"role": "user", "content": "Tell me a story."}],
                "stream": True,
            }
        }
    ).encode(),
)

with urllib.request.urlopen(request, timeout=60) as response:
    print(response.headers["X-TokenHub-Model"], "served by", response.headers["X-TokenHub-Provider"], file=sys.stderr)
    finished = False
    for line in response:
        text = line.decode("utf-8").rstrip("\n")
        if text == "data: [DONE]":
            finished = True
        elif text.startswith("data: "):
            chunk = json.loads(text[6:])
            if "error" in chunk:
                sys.exit("\nfailed: " + chunk["error"]["message"])
            print(chunk["choices"][0].get("delta", {}).get("content") or "", end="", flush=True)
        elif text.startswith(": {"):
            # A comment: other readers of event streams pass over it.
            print("\ncost:", json.loads(text[2:])["cost"], "USD")
    if not finished:
        sys.exit("\ncut off before the end")
