"""A client that costs little: HTTP/1.1 over one kept connection, so that the bench measures the shop and not itself."""

import asyncio
from typing import Any

import orjson


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, base_url: str) -> "Client":
        host, port = base_url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def post(self, path: str, body: Any, *headers: str) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        content = orjson.dumps(body)
        lines = [
            f"POST {path} HTTP/1.1",
            "host: bench",
            "content-type: application/json",
            f"content-length: {len(content)}",
        ]
        self._writer.write("\r\n".join([*lines, *headers, "", ""]).encode() + content)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        return int(head[9:12]), orjson.loads(answer)

    def close(self) -> None:
        self._writer.close()
