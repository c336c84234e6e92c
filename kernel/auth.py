"""Who is calling, and what they may do. Made at the edge, carried by the unit of work, never taken from input."""

from dataclasses import dataclass, replace
from uuid import UUID

from kernel.errors import Forbidden

STAFF_ROLES = frozenset({"support", "admin", "system"})
"""Roles that see rows of every customer and merchant; what they may do with them is decided by permissions."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller.

    `guest_key` is the SHA-256 of the opaque token a guest holds. `act` names the agent that acts for the person:
    the person's rights still bound it, and `permissions` is then the intersection of both. `session` is the
    conversation in which it acts: a confirmation counts only there.
    """

    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    user_id: UUID | None = None
    customer_id: UUID | None = None
    merchant_ids: tuple[UUID, ...] = ()
    guest_key: bytes | None = None
    act: str | None = None
    session: UUID | None = None

    @property
    def is_staff(self) -> bool:
        return not self.roles.isdisjoint(STAFF_ROLES)

    @property
    def subject(self) -> str:
        """A stable name of the caller for keys, limits and logs; it holds no personal data."""
        if self.user_id:
            return f"user:{self.user_id}"
        if self.guest_key:
            return f"guest:{self.guest_key.hex()[:32]}"
        return "system" if "system" in self.roles else "anonymous"

    def may(self, permission: str) -> bool:
        return permission in self.permissions or "*" in self.permissions

    def require(self, permission: str) -> None:
        """The service's first line: raises Forbidden when the caller lacks `permission`."""
        if not self.may(permission):
            raise Forbidden(permission=permission)

    def acting(self, agent: str, grants: frozenset[str], session: UUID | None = None) -> "Principal":
        """The same person through an agent: rights only ever shrink."""
        allowed = grants if "*" in self.permissions else self.permissions & grants
        return replace(self, act=agent, permissions=allowed, session=session)


ANONYMOUS = Principal()
SYSTEM = Principal(roles=frozenset({"system"}), permissions=frozenset({"*"}))
