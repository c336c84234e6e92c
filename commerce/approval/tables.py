"""Proposals and their limits: a proposal is used once, bound to its hash, and only by the people it needs."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import OWN_MERCHANT, OWN_SUBJECT, Base, Json, append_only, laws, one_of, visible


class Proposal(Base):
    """One thing an agent wants done. Its content never changes; its status changes once. `subject` is whom the agent acted
    for, `rule` what the policy said, `result` what carrying it out made, `code` why it failed."""

    __tablename__ = "agent_proposals"
    __table_args__ = (
        one_of("status", "waiting", "accepted", "rejected", "expired", "failed"),
        CheckConstraint("(status = 'waiting') = (decided_at is null)", name="decided"),
        CheckConstraint("(amount is null) = (currency is null) and amount >= 0", name="amount"),
        CheckConstraint("needed in (1, 2)", name="needed"),
        CheckConstraint("(status = 'failed') = (code is not null)", name="code"),
        UniqueConstraint("id", "digest", "subject"),
        Index("uq_agent_proposals_waiting", "kind", "object", unique=True, postgresql_where="status = 'waiting'"),
        Index("ix_agent_proposals_object", "object", "id"),
        Index("ix_agent_proposals_agent", "agent", "id"),
        Index("ix_agent_proposals_status", "status", "id"),
        Index("ix_agent_proposals_due", "expires_at", postgresql_where="status = 'waiting'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    agent: Mapped[str]
    kind: Mapped[str]
    object: Mapped[str]
    stance: Mapped[str]
    arguments: Mapped[Json]
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    summary: Mapped[str]
    reason: Mapped[str] = mapped_column(info={"personal": True})
    subject: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    merchant_id: Mapped[UUID | None] = mapped_column(ForeignKey("merchants.id"), index=True)
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("agent_runs.id"), index=True)
    digest: Mapped[bytes]
    status: Mapped[str]
    rule: Mapped[str]
    needed: Mapped[int]
    code: Mapped[str | None]
    result: Mapped[Json | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Decision(Base):
    """What one person, or the policy, said to one proposal: once, to exactly this content, and never the one it was
    proposed for. A rejection by a person ends it."""

    __tablename__ = "agent_decisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "digest", "subject"],
            ["agent_proposals.id", "agent_proposals.digest", "agent_proposals.subject"],
            name="fk_agent_decisions_proposal",
        ),
        CheckConstraint("decider <> subject", name="not_ones_own"),
        Index("ix_agent_decisions_proposal", "proposal_id", "digest", "subject"),
    )
    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    decider: Mapped[str] = mapped_column(primary_key=True)
    accept: Mapped[bool]
    note: Mapped[str] = mapped_column(info={"personal": True})
    digest: Mapped[bytes]
    subject: Mapped[str]
    at: Mapped[datetime]


class AgentPolicy(Base):
    """Limits that replace those a kind comes with, for one agent. No row: the kind's own."""

    __tablename__ = "agent_policies"
    agent: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    limits: Mapped[Json]
    updated_at: Mapped[datetime]
    updated_by: Mapped[str]


class AgentCap(Base):
    """What the proposals of an agent hold on one day (UTC), in all (`scope` is `agent`) and for one customer or shop:
    reserved by a guarded UPDATE when one is made, given back when it comes to nothing. Without money, `currency` is `-`."""

    __tablename__ = "agent_caps"
    __table_args__ = (CheckConstraint("used >= 0 and times >= 0", name="signs"),)
    agent: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    on_day: Mapped[date] = mapped_column(primary_key=True)
    used: Mapped[int]
    times: Mapped[int]


append_only("agent_decisions")
_CONTENT = "id, agent, kind, object, stance, arguments, amount, currency, summary, reason, subject, customer_id, merchant_id, run_id, digest, needed, created_at, expires_at"  # fmt: skip
_ONES_OWN = (
    "subject = current_setting('agora.subject', true)"
    " and (customer_id is null or customer_id = nullif(current_setting('agora.customer', true), '')::uuid)"
    " and (merchant_id is null or merchant_id = any(nullif(current_setting('agora.merchants', true), '')::uuid[]))"
)
laws(
    "approval",
    *visible("agent_proposals", f"{OWN_SUBJECT} or {OWN_MERCHANT}"),
    "create policy agent_proposals_own on agent_proposals as restrictive for insert with check "
    f"(current_setting('agora.staff', true) = 'on' or ({_ONES_OWN}))",
    *visible("agent_decisions", "exists (select from agent_proposals p where p.id = proposal_id)"),
    f"""create function agora_guard_proposal() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.status not in ('waiting', 'rejected') then
      raise exception 'a proposal begins waiting or rejected' using errcode = 'insufficient_privilege';
    end if;
    return new;
  end if;
  if old.status <> 'waiting' then
    raise exception 'a proposal is decided once' using errcode = 'insufficient_privilege';
  end if;
  if row({", ".join(f"new.{name}" for name in _CONTENT.split(", "))})
     is distinct from row({", ".join(f"old.{name}" for name in _CONTENT.split(", "))}) then
    raise exception 'the content of a proposal does not change' using errcode = 'insufficient_privilege';
  end if;
  if new.status in ('accepted', 'failed') and new.needed >
     (select count(*) from agent_decisions d where d.proposal_id = new.id and d.accept) then
    raise exception 'too few people have accepted this proposal' using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$""",
    "create trigger agent_proposals_guard before insert or update on agent_proposals "
    "for each row execute function agora_guard_proposal()",
)
