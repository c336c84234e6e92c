"""Help articles: written by the support team, read and searched by everybody."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, true

from commerce.support import statements
from commerce.support.errors import ArticleSlugTaken, UnknownArticle
from commerce.support.events import ArticleChanged
from commerce.support.permissions import WORK_TICKETS
from commerce.support.schemas import ArticleHit, ArticleView, ChangeArticle, WriteArticle
from commerce.support.tables import Article
from kernel.auth import Principal
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Page

SNIPPET = 200
"""Characters of an article in a list."""

_WRITE = """
insert into support_articles (id, slug, title, body, tags, audience, published, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

_CHANGE = """
update support_articles set title = $2, body = $3, tags = $4, audience = $5, published = $6, updated_at = $7
where slug = $1 returning id
"""


class ArticleService:
    """Reading asks for no permission: what is published for everybody is open, the rest shows to staff alone."""

    def __init__(self) -> None:
        self._articles = Repository(Article)

    async def search(self, work: Work, q: str, limit: int = 5) -> list[ArticleHit]:
        """Published articles that fit a question, best first: by any of its words, and by titles spelled like it."""
        rows = await work.rows(statements.SEARCH, q, work.principal.is_staff, limit)
        return [ArticleHit(title=row["title"], slug=row["slug"], snippet=row["snippet"]) for row in rows]

    async def page(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[ArticleHit]:
        """Articles the caller may read, newest first."""
        found, following = await self._articles.page(work, self._shown(work.principal), cursor=cursor, size=size)
        return Page(
            items=[ArticleHit(title=a.title, slug=a.slug, snippet=a.body[:SNIPPET]) for a in found], next=following
        )

    async def get(self, work: Work, slug: str) -> ArticleView:
        """Raises UnknownArticle, also for one the caller may not read."""
        column = self._articles.table.c
        article = await self._articles.find(work, self._shown(work.principal), column.slug == slug)
        if article is None:
            raise UnknownArticle()
        return ArticleView.model_validate({name: getattr(article, name) for name in ArticleView.model_fields})

    async def write(self, work: Work, command: WriteArticle) -> ArticleView:
        """A new article. Emits ArticleChanged. Raises ArticleSlugTaken."""
        work.principal.require(WORK_TICKETS)
        article_id = new_id()
        with law("uq_support_articles_slug", ArticleSlugTaken(slug=command.slug)):
            await work.run(_WRITE, article_id, command.slug, *_content(command), work.now)
        work.emit(ArticleChanged(article_id=article_id))
        return await self.get(work, command.slug)

    async def change(self, work: Work, slug: str, command: ChangeArticle) -> ArticleView:
        """Replaces everything but the slug. Emits ArticleChanged. Raises UnknownArticle."""
        work.principal.require(WORK_TICKETS)
        changed: UUID | None = await work.value(_CHANGE, slug, *_content(command), work.now)
        if changed is None:
            raise UnknownArticle()
        work.emit(ArticleChanged(article_id=changed))
        return await self.get(work, slug)

    def _shown(self, principal: Principal) -> ColumnElement[bool]:
        column = self._articles.table.c
        return true() if principal.is_staff else and_(column.published, column.audience == "public")


def _content(command: ChangeArticle) -> tuple[str, str, list[str], str, bool]:
    return command.title, command.body, command.tags, command.audience, command.published
