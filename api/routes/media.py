"""Pictures of the demo shop's products, drawn from their names: a real shop puts its own addresses into `media`."""

import hashlib
from html import escape
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.deps import Open

router = APIRouter(prefix="/media", tags=["media"], include_in_schema=False)
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" aria-label="{name}">
<rect width="400" height="400" fill="hsl({hue} 45% 90%)"/><circle cx="{x}" cy="170" r="96" fill="hsl({hue} 50% 70%)"/>
<circle cx="{y}" cy="190" r="60" fill="hsl({other} 55% 60%)" fill-opacity=".8"/>
<text x="200" y="345" text-anchor="middle" font-family="system-ui" font-size="24" fill="#1d2433">{name}</text></svg>"""


@router.get("/{slug}.svg")
async def picture(slug: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,80}$")], _: Open) -> Response:
    digest = hashlib.sha256(slug.encode()).digest()
    hue = digest[0] * 360 // 256
    name = escape(" ".join(word.capitalize() for word in slug.split("-") if word))
    svg = SVG.format(name=name, hue=hue, other=(hue + 90) % 360, x=150 + digest[1] % 60, y=220 + digest[2] % 40)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
