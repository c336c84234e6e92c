"""A local server that speaks the chat completions protocol, streamed, and misbehaves on request."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass
class OpenAIServer:
    """`mode`: ok, slow (never begins), stalls (begins and stops), malformed, not_json, empty, 500, 429, flaky."""

    mode: str = "ok"
    says: list[Any] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    base_url: str = ""

    async def answer(self, request: Request) -> Response:
        self.heard.append(await request.json())
        self.keys.append(request.headers["authorization"])
        mode = self.mode
        if mode == "flaky":
            mode = "500" if len(self.heard) % 2 else "ok"
        if mode in ("500", "429"):
            return JSONResponse({"error": {"message": "no"}}, int(mode))
        if mode == "slow":
            await asyncio.sleep(30)
        if mode == "not_json":
            return Response("<html>gateway error</html>", media_type="text/html")
        return StreamingResponse(self._chunks(mode), media_type="text/event-stream")

    async def _chunks(self, mode: str) -> AsyncIterator[bytes]:
        said = self.says.pop(0) if self.says else "Hello from the model."
        if mode == "empty":
            said = ""
        if isinstance(said, str):
            for word in said.split(" "):
                yield _chunk({"role": "assistant", "content": word + " "})
                if mode == "stalls":
                    await asyncio.sleep(30)
        else:
            arguments = json.dumps(said["args"]) if mode != "malformed" else "{not json"
            half = len(arguments) // 2
            call = {"index": 0, "id": "call_7", "type": "function"}
            yield _chunk({"tool_calls": [{**call, "function": {"name": said["name"], "arguments": arguments[:half]}}]})
            yield _chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments[half:]}}]})
        yield _chunk({}, "stop")
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        yield b"data: " + json.dumps({**_frame(), "choices": [], "usage": usage}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"


def _frame() -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "local"}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**_frame(), "choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def openai_server() -> AsyncIterator[OpenAIServer]:
    found = OpenAIServer()
    app = Starlette(routes=[Route("/v1/chat/completions", found.answer, methods=["POST"])])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1, lifespan="off")
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
