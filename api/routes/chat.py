"""Chat with the shop's agents: JSON, or server-sent events with `Accept: text/event-stream`."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any
from uuid import uuid5

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from api import errors
from api.deps import Edge, dumped, needs, reply
from commerce.chat import ChatAnswer, ThreadView
from commerce.chat.permissions import OWN_FACTS, TALK
from commerce.chat.schemas import Confirm, FactId, FactView, MessageId, MessageView, Rate, Talk, ThreadId
from kernel import telemetry
from kernel.db import Work
from kernel.errors import AgoraError
from kernel.schemas import Page

router = APIRouter(prefix="/v1/chat", tags=["chat"])
Speak = Annotated[Edge, needs(TALK)]
Remembered = Annotated[Edge, needs(OWN_FACTS)]
Hear = Callable[[str, dict[str, Any]], Awaitable[None]]
log = telemetry.log("chat")


class BegunThread(ThreadView):
    """`cart_token` is shown once, to a guest: send it back as `X-Cart-Token`; it also opens the guest's cart."""

    cart_token: str | None = None


@router.get("/facts", response_model=list[FactView])
async def facts(edge: Remembered) -> Response:
    """What the caller told us to remember, oldest first."""
    return await edge.run(edge.commerce.chat.facts.facts)


@router.delete("/facts", status_code=204)
async def forget_facts(edge: Remembered) -> Response:
    """Erases everything the caller told us to remember."""

    async def act(work: Work) -> None:
        await edge.commerce.chat.facts.forget(work)

    return await edge.run(act)


@router.delete("/facts/{fact_id}", status_code=204)
async def forget_fact(fact_id: FactId, edge: Remembered) -> Response:
    return await edge.run(lambda work: edge.commerce.chat.facts.forget_one(work, fact_id))


@router.post("/threads", status_code=201, response_model=BegunThread)
async def begin(edge: Speak) -> Response:
    """A new conversation. A guest gets a `cart_token` with it, to be sent back as `X-Cart-Token`."""
    token = None
    if edge.principal.subject == "anonymous":
        token = secrets.token_urlsafe(24)
        edge = replace(edge, principal=edge.commerce.identity.guest(token))

    async def act(work: Work) -> BegunThread:
        return BegunThread(**(await edge.commerce.chat.begin(work)).model_dump(), cart_token=token)

    return await edge.run(act, 201) if token else await edge.once(act)


@router.get("/threads", response_model=Page[ThreadView])
async def threads(
    edge: Speak,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """The caller's conversations, newest first."""
    return await edge.run(lambda work: edge.commerce.chat.threads(work, cursor, size))


@router.get("/threads/{thread_id}", response_model=ThreadView)
async def thread(thread_id: ThreadId, edge: Speak) -> Response:
    return await edge.run(lambda work: edge.commerce.chat.thread(work, thread_id))


@router.get("/threads/{thread_id}/messages", response_model=Page[MessageView])
async def messages(
    thread_id: ThreadId,
    edge: Speak,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """What was said, newest first."""
    return await edge.run(lambda work: edge.commerce.chat.messages(work, thread_id, cursor, size))


@router.post("/threads/{thread_id}/messages", response_model=ChatAnswer)
async def talk(thread_id: ThreadId, command: Talk, edge: Speak) -> Response:
    """Says something and brings the answer. A write is only asked about: see `pending_confirmation`.

    With an `Idempotency-Key` a repetition is the same message and gets the same answer."""
    key = edge.request.headers.get("idempotency-key")
    turn_id = uuid5(thread_id, f"message:{key}") if key else None

    async def answer(hear: Hear | None) -> ChatAnswer:
        assistant = await edge.site.assistant.get()
        more = {"hear": hear} if hear else {}
        return await assistant.message(edge.principal, thread_id, command.text, turn_id, **more)

    return await _either(edge, answer)


@router.post("/threads/{thread_id}/confirm", response_model=ChatAnswer)
async def confirm(thread_id: ThreadId, command: Confirm, edge: Speak) -> Response:
    """Answers an open question. Yes carries out exactly what was asked, once."""

    async def answer(hear: Hear | None) -> ChatAnswer:
        assistant = await edge.site.assistant.get()
        more = {"hear": hear} if hear else {}
        return await assistant.confirm(edge.principal, thread_id, command.confirmation_id, command.accept, **more)

    return await _either(edge, answer)


@router.post("/threads/{thread_id}/handoff", response_model=ChatAnswer)
async def hand_over(thread_id: ThreadId, edge: Speak) -> Response:
    """Brings in a person at once."""

    async def act(work: Work) -> ChatAnswer:
        handoff = await edge.commerce.chat.hand_over(work, thread_id, "asked for a person")
        return ChatAnswer(thread_id=thread_id, messages=[], actions=[], pending_confirmation=None, handoff=handoff)

    return await edge.run(act)


@router.post("/threads/{thread_id}/messages/{message_id}/feedback", status_code=204)
async def feedback(thread_id: ThreadId, message_id: MessageId, command: Rate, edge: Speak) -> Response:
    """Says whether an answer helped: 1 or -1."""
    return await edge.once(lambda work: edge.commerce.chat.rate(work, thread_id, message_id, command), 200)


@router.post("/threads/{thread_id}/close", status_code=204)
async def close(thread_id: ThreadId, edge: Speak) -> Response:
    """Ends the conversation."""
    return await edge.once(lambda work: edge.commerce.chat.close(work, thread_id), 200)


async def _either(edge: Edge, answer: Callable[[Hear | None], Awaitable[ChatAnswer]]) -> Response:
    """The answer whole, or as events while it comes: `token`, `action`, then `answer` (or `problem`)."""
    if "text/event-stream" not in edge.request.headers.get("accept", ""):
        return reply(dumped(await answer(None)), 200)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def hear(kind: str, data: dict[str, Any]) -> None:
        queue.put_nowait(_event(kind, orjson.dumps(data)))

    async def run() -> None:
        try:
            queue.put_nowait(_event("answer", dumped(await answer(hear))))
        except AgoraError as error:
            queue.put_nowait(_event("problem", bytes(errors.of(error).body)))
        except Exception:  # the edge of a stream: its status is sent already
            log.error("chat_failed", exc_info=True)
            queue.put_nowait(_event("problem", bytes(errors.unexpected().body)))
        queue.put_nowait(None)

    async def events() -> AsyncIterator[bytes]:
        task = asyncio.create_task(run())  # goes on when the reader leaves: the answer is kept in the thread
        while (event := await queue.get()) is not None:
            yield event
        await task

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _event(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
