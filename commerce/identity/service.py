"""Identity: sign-in, tokens with rotation, and the principal behind a request."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from pwdlib import PasswordHash

from commerce.identity import audit
from commerce.identity.errors import BadCredentials, BadToken, EmailTaken, UnknownUser
from commerce.identity.schemas import MeView, TokensView
from commerce.identity.tables import User, UserRole
from commerce.identity.tokens import LIFETIME, Signer
from kernel.auth import ANONYMOUS, SYSTEM, Principal
from kernel.cache import Cache
from kernel.db import Database, Work, law
from kernel.errors import TooMany
from kernel.ids import new_id
from kernel.repository import Repository

ROLES = ("guest", "customer", "merchant", "support", "admin", "system")
REFRESH_LIFETIME = timedelta(days=30)
ATTEMPT_WINDOW = timedelta(minutes=15)
AGENT_LIFETIME = 120
"""Seconds an agent's token is good for: a run ends after 30."""

Grants = Mapping[str, frozenset[str]]
"""Role > permissions."""

_hasher = PasswordHash.recommended()


@cache
def _nobody() -> str:
    """A hash to verify for unknown accounts too, so that the answer takes as long as for a known one."""
    return _hasher.hash("the password of no account")


def merged(*grants: Grants) -> dict[str, frozenset[str]]:
    """The grants of all contexts, role by role."""
    roles = {role for grant in grants for role in grant}
    return {role: frozenset().union(*(grant.get(role, frozenset()) for grant in grants)) for role in roles}


async def hashed(password: str) -> str:
    """Argon2id in a thread: it takes tens of milliseconds on purpose."""
    return await asyncio.to_thread(_hasher.hash, password)


class IdentityService:
    """`login_limit` failed sign-ins per account and 15 minutes; counted in Postgres, so a restart forgets none."""

    def __init__(self, signer: Signer, grants: Grants, login_limit: int = 10) -> None:
        self._signer = signer
        self._grants = grants
        self._login_limit = login_limit
        self._users = Repository(User)
        self._roles = Repository(UserRole)
        self._principals: Cache[str, tuple[Principal, int]] = Cache(LIFETIME, size=10_000)
        self._acting: Cache[str, tuple[Principal, int]] = Cache(AGENT_LIFETIME, size=10_000)

    # --- accounts ---

    async def create_user(self, work: Work, email: str, password_hash: str, name: str) -> UUID:
        """A user without any role. Raises EmailTaken."""
        user = User(
            id=new_id(),
            email=email.lower(),
            password_hash=password_hash,
            name=name,
            status="active",
            customer_id=None,
            created_at=work.now,
        )
        with law("uq_users_email", EmailTaken()):
            await self._users.add(work, user)
        audit.append(work, "user.created", f"user:{user.id}")
        return user.id

    async def add_role(
        self, work: Work, user_id: UUID, role: str, merchant_id: UUID | None = None, customer_id: UUID | None = None
    ) -> None:
        """Gives a role; `merchant_id` makes it a membership, `customer_id` ties the user to its customer."""
        await work.run(
            "insert into user_roles (id, user_id, role, merchant_id) values ($1, $2, $3, $4) on conflict do nothing",
            *(new_id(), user_id, role, merchant_id),
        )
        if customer_id:
            await work.run("update users set customer_id = $2 where id = $1", user_id, customer_id)
        audit.append(work, "user.role_added", f"user:{user_id}", role=role)

    async def has_role(self, work: Work, user_id: UUID, roles: Sequence[str]) -> bool:
        """Whether an active user has any of these roles."""
        return bool(
            await work.value(
                "select exists (select from user_roles r join users u on u.id = r.user_id "
                "where u.id = $1 and u.status = 'active' and r.role = any($2))",
                *(user_id, list(roles)),
            )
        )

    async def user_by_email(self, work: Work, email: str) -> User | None:
        return await self._users.find(work, self._users.table.c.email == email.lower())

    async def me(self, work: Work) -> MeView:
        user = await self._users.get(work, work.principal.user_id) if work.principal.user_id else None
        if user is None:
            raise UnknownUser()
        return MeView(
            id=user.id,
            email=user.email,
            name=user.name,
            roles=sorted(work.principal.roles),
            customer_id=work.principal.customer_id,
            merchant_ids=list(work.principal.merchant_ids),
        )

    async def sync_roles(self, work: Work) -> None:
        """Writes the roles and what they may do, as the code of this release declares it."""
        await work.run("insert into roles (name) select * from unnest($1::text[]) on conflict do nothing", list(ROLES))
        pairs = [(role, permission) for role, granted in self._grants.items() for permission in sorted(granted)]
        roles, permissions = [role for role, _ in pairs], [permission for _, permission in pairs]
        await work.run(
            "insert into role_permissions (role, permission) select * from unnest($1::text[], $2::text[]) "
            "on conflict do nothing",
            *(roles, permissions),
        )
        await work.run(
            "delete from role_permissions where (role, permission) not in (select * from unnest($1::text[], $2::text[]))",
            *(roles, permissions),
        )

    # --- sign-in ---

    async def sign_in(self, database: Database, email: str, password: str) -> TokensView:
        """Tokens for an e-mail address and its password. Raises BadCredentials, TooMany.

        The hash is computed between two transactions: no connection waits for it."""
        account = _digest(email.lower())
        async with database.work(SYSTEM) as work:
            await self._check_attempts(work, account)
            user = await self.user_by_email(work, email)
        good = await asyncio.to_thread(_hasher.verify, password, user.password_hash if user else _nobody())
        async with database.work(SYSTEM) as work:
            if user is None or not good or user.status != "active":
                await self._count_attempt(work, account)
                failed = True
            else:
                failed = False
                tokens = await self._issue(work, user.id, new_id())
                audit.append(work, "user.signed_in", f"user:{user.id}")
        if failed:
            raise BadCredentials()
        return tokens

    async def _check_attempts(self, work: Work, account: bytes) -> None:
        row = await work.row(
            "select failures, window_at from sign_in_attempts where account = $1 and window_at > $2 "
            "order by window_at desc limit 1",
            *(account, work.now - ATTEMPT_WINDOW),
        )
        if row and row["failures"] >= self._login_limit:
            raise TooMany(retry_after=int((row["window_at"] + ATTEMPT_WINDOW - work.now).total_seconds()) + 1)

    async def _count_attempt(self, work: Work, account: bytes) -> None:
        await work.run(
            "insert into sign_in_attempts (account, window_at, failures) values ($1, $2, 1) "
            "on conflict (account, window_at) do update set failures = sign_in_attempts.failures + 1",
            *(account, _window(work.now)),
        )

    async def refresh(self, work: Work, token: str) -> TokensView | None:
        """A new pair for a refresh token, once. A token seen twice revokes its family: None, and nothing is issued
        (the caller must commit, then answer BadToken)."""
        used = await work.row(
            "update refresh_tokens set used_at = $2 where token_hash = $1 and used_at is null and revoked_at is null "
            "and expires_at > $2 returning user_id, family_id",
            *(_digest(token), work.now),
        )
        if used:
            return await self._issue(work, used["user_id"], used["family_id"])
        family = await work.value("select family_id from refresh_tokens where token_hash = $1", _digest(token))
        if family:
            await self._revoke(work, family)
            audit.append(work, "token.reused", f"family:{family}")
        return None

    async def sign_out(self, work: Work, token: str) -> None:
        """Ends the family of a refresh token; silent about one that does not exist."""
        family = await work.value("select family_id from refresh_tokens where token_hash = $1", _digest(token))
        if family:
            await self._revoke(work, family)

    async def _revoke(self, work: Work, family: UUID) -> None:
        await work.run(
            "update refresh_tokens set revoked_at = $2 where family_id = $1 and revoked_at is null", family, work.now
        )

    async def _issue(self, work: Work, user_id: UUID, family: UUID) -> TokensView:
        row = await work.row(
            "select u.customer_id, coalesce(array_agg(distinct r.role) filter (where r.role is not null), '{}') as roles, "
            "coalesce(array_agg(distinct r.merchant_id) filter (where r.merchant_id is not null), '{}') as merchants "
            "from users u left join user_roles r on r.user_id = u.id where u.id = $1 group by u.id",
            user_id,
        )
        assert row is not None
        opaque = secrets.token_urlsafe(32)
        await work.run(
            "insert into refresh_tokens (id, family_id, user_id, token_hash, expires_at, created_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            *(new_id(), family, user_id, _digest(opaque), work.now + REFRESH_LIFETIME, work.now),
        )
        claims = {
            "roles": row["roles"],
            "customer": str(row["customer_id"]) if row["customer_id"] else None,
            "merchants": [str(m) for m in row["merchants"]],
        }
        access = self._signer.issue(user_id, work.now, claims)
        return TokensView(access_token=access, refresh_token=opaque, expires_in=LIFETIME)

    def agent_token(
        self, principal: Principal, agent: str, permissions: frozenset[str], now: datetime, session: UUID | None = None
    ) -> str:
        """A token for an agent that acts for somebody, a guest and the house included: two minutes, no more than both
        of them may, and consent only in that `session`."""
        allowed = sorted(principal.acting(agent, permissions).permissions)
        claims = {
            "roles": sorted(principal.roles),
            "customer": str(principal.customer_id) if principal.customer_id else None,
            "merchants": [str(m) for m in principal.merchant_ids],
            "act": agent,
            "scope": allowed,
            "session": str(session) if session else None,
        }
        return self._signer.issue(_bearer(principal), now, claims, AGENT_LIFETIME)

    def acting(self, token: str, agent: str, now: datetime) -> Principal:
        """Whom an agent's token speaks for, through that agent. Raises BadToken, also in the hands of another agent.

        Wider than `principal`, which is asked by the outside: there no token speaks for a guest or for the house."""
        found = self._acting.get(token)
        if found is None or found[1] <= now.timestamp():
            claims = self._signer.read(token, now)
            with _sound():
                who = self._principal(claims, _borne(str(claims["sub"])))
                session = UUID(str(claims["session"])) if claims["session"] else None
            found = replace(who, session=session), claims["exp"]
            self._acting.put(token, found)
        if found[0].act != agent:
            raise BadToken()
        return found[0]

    # --- the principal of a request ---

    def principal(self, token: str, now: datetime) -> Principal:
        """The caller an access token speaks for. Raises BadToken. A verified token is remembered until it expires."""
        if (found := self._principals.get(token)) and found[1] > now.timestamp():
            return found[0]
        claims = self._signer.read(token, now)
        with _sound():
            who = self._principal(claims, Principal(user_id=UUID(str(claims["sub"]))))
        self._principals.put(token, (who, claims["exp"]))
        return who

    def _principal(self, claims: dict[str, object], whom: Principal) -> Principal:
        roles = frozenset(str(role) for role in _list(claims["roles"]))
        customer = claims.get("customer")
        granted = (self._grants.get(role, frozenset()) for role in roles)
        who = replace(
            whom,
            roles=roles,
            permissions=whom.permissions.union(*granted),
            customer_id=UUID(str(customer)) if customer else None,
            merchant_ids=tuple(UUID(str(m)) for m in _list(claims["merchants"])),
        )
        if "act" in claims:
            return who.acting(str(claims["act"]), frozenset(str(p) for p in _list(claims["scope"])))
        return who

    def as_role(self, role: str) -> Principal:
        """Somebody of this role and nothing more: for seeds and system tasks that act with a person's rights."""
        return Principal(roles=frozenset({role}), permissions=self._grants[role])

    def guest(self, token: str | None) -> Principal:
        """Somebody not signed in: known by the opaque token they hold, if any."""
        key = hashlib.sha256(token.encode()).digest() if token else None
        return Principal(roles=frozenset({"guest"}), permissions=self._grants.get("guest", frozenset()), guest_key=key)


def _bearer(principal: Principal) -> str:
    """The subject of an agent's token: a user by the id, a guest by the digest of what they hold."""
    if principal.user_id:
        return str(principal.user_id)
    return f"guest:{principal.guest_key.hex()}" if principal.guest_key else principal.subject


def _borne(bearer: str) -> Principal:
    """Who such a subject is, before their roles: the house alone has rights by itself."""
    kind, _, key = bearer.partition(":")
    if kind == "guest":
        return Principal(guest_key=bytes.fromhex(key))
    if kind == "anonymous":
        return ANONYMOUS
    return SYSTEM if kind == "system" else Principal(user_id=UUID(bearer))


@contextmanager
def _sound() -> Iterator[None]:
    """Claims that do not read as ours are no token."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError):
        raise BadToken() from None


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected a list")
    return value


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _window(now: datetime) -> datetime:
    """Start of the attempt window `now` falls into."""
    seconds = int(ATTEMPT_WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=now.tzinfo)
