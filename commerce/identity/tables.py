"""Who may sign in, what they may do, and the chain of what they did."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, Json, append_only, laws, one_of


class User(Base):
    __tablename__ = "users"
    __table_args__ = (one_of("status", "active", "locked"), CheckConstraint("email = lower(email)", name="email"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name: Mapped[str]
    status: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    created_at: Mapped[datetime]


class Role(Base):
    __tablename__ = "roles"
    name: Mapped[str] = mapped_column(primary_key=True)


class RolePermission(Base):
    """What a role may do. Synced at start from what the contexts grant."""

    __tablename__ = "role_permissions"
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)


class UserRole(Base):
    """A role of a user; `merchant_id` makes it a membership of one shop."""

    __tablename__ = "user_roles"
    __table_args__ = (
        CheckConstraint("(role = 'merchant') = (merchant_id is not null)", name="membership"),
        Index("uq_user_roles", "user_id", "role", "merchant_id", unique=True, postgresql_nulls_not_distinct=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), index=True)
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"), index=True)


class RefreshToken(Base):
    """An opaque token by its SHA-256. Used once; a second use revokes its whole family."""

    __tablename__ = "refresh_tokens"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SignInAttempt(Base):
    """Failed sign-ins of an account (by the hash of its address, known or not) in a window."""

    __tablename__ = "sign_in_attempts"
    account: Mapped[bytes] = mapped_column(primary_key=True)
    window_at: Mapped[datetime] = mapped_column(primary_key=True)
    failures: Mapped[int]


class AuditEntry(Base):
    """One act of consequence. Each row's hash covers its content and the hash before it."""

    __tablename__ = "audit_log"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(index=True)
    act: Mapped[str | None]
    action: Mapped[str]
    object: Mapped[str] = mapped_column(index=True)
    facts: Mapped[Json]
    previous: Mapped[bytes]
    hash: Mapped[bytes] = mapped_column(unique=True)


append_only("audit_log")
laws(
    "identity",
    """create function agora_append_only() returns trigger language plpgsql as $$
begin raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege'; end $$""",
    "create trigger audit_log_append_only before update or delete or truncate on audit_log "
    "for each statement execute function agora_append_only()",
)
