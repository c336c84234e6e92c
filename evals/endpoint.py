"""A local server that speaks the chat completions protocol, streamed: it plays lines, and misbehaves on request.

Scripted and recorded models are this server with lines to say; chaos is this server out of order.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agents.node import HAND_ON
from agents.roster import owner
from tools.spec import TOOLS

Line = str | dict[str, Any]
"""A text, or one call `{"name": ..., "args": {...}}`."""
Mode = Literal[
    "ok", "slow", "stalls", "hollow", "malformed", "not_json", "empty", "refuses", "400", "401", "429", "500", "flaky"
]
TOO_LONG = 30.0
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@dataclass
class Endpoint:
    """`mode`: ok; slow (never begins); stalls (begins and stops); hollow (goes on sending, and says nothing); malformed
    (half a call); not_json; empty; refuses (the protocol's own refusal); a status; flaky (every other request fails).
    `says` are the lines to come."""

    mode: Mode = "ok"
    says: list[Any] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    otherwise: str = "Hello from the model."
    base_url: str = ""

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.heard.append(body)
        self.keys.append(request.headers["authorization"])
        mode: str = self.mode
        if mode == "flaky":
            mode = "500" if len(self.heard) % 2 else "ok"
        if mode.isdigit():
            return JSONResponse({"error": {"message": "no"}}, int(mode))
        if mode == "slow":
            await asyncio.sleep(TOO_LONG)
        if mode == "not_json":
            return Response("<html>gateway error</html>", media_type="text/html")
        chunks = _hollow() if mode == "hollow" else self._chunks(mode, body)
        return StreamingResponse(chunks, media_type="text/event-stream")

    def next(self, body: dict[str, Any]) -> Line:
        """The next line; a call of a tool that this agent lacks passes the conversation on to the one that has it."""
        said: Line = self.says[0] if self.says else self.otherwise
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in body.get("tools", [])}
        if isinstance(said, dict) and said["name"] not in offered and HAND_ON in offered and said["name"] in TOOLS:
            agent = owner(TOOLS[said["name"]])
            if agent in offered[HAND_ON]["properties"]["agent"]["enum"]:
                return {"name": HAND_ON, "args": {"agent": agent}}
        del self.says[:1]
        return said

    async def _chunks(self, mode: str, body: dict[str, Any]) -> AsyncIterator[bytes]:
        said = self.next(body) if mode != "empty" else ""
        if mode == "refuses":
            yield _chunk({"role": "assistant", "content": None, "refusal": "I cannot help with that."})
        elif isinstance(said, str):
            for word in said.split(" "):
                yield _chunk({"role": "assistant", "content": word + " "})
                if mode == "stalls":
                    await asyncio.sleep(TOO_LONG)
        else:
            arguments = json.dumps(said["args"]) if mode != "malformed" else "{not json"
            half = len(arguments) // 2
            call = {"index": 0, "id": f"call_{len(self.heard)}", "type": "function"}
            yield _chunk({"tool_calls": [{**call, "function": {"name": said["name"], "arguments": arguments[:half]}}]})
            if mode == "stalls":
                await asyncio.sleep(TOO_LONG)
            yield _chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments[half:]}}]})
        yield _chunk({}, "stop")
        yield b"data: " + json.dumps({**_frame(), "choices": [], "usage": USAGE}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"


def _frame() -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "local"}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**_frame(), "choices": [choice]}).encode() + b"\n\n"


async def _hollow() -> AsyncIterator[bytes]:
    until = time.monotonic() + TOO_LONG
    while time.monotonic() < until:
        yield _chunk({"role": "assistant", "content": ""})
        await asyncio.sleep(0.2)


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    """The server on a free local port, until the block ends."""
    found = Endpoint()
    app = Starlette(routes=[Route("/v1/chat/completions", found.answer, methods=["POST"])])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_level="critical", timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    found.base_url = f"http://127.0.0.1:{port}/v1"
    try:
        yield found
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
