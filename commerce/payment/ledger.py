"""The ledger: double entry in one row per transfer, accounts with names that follow from what they are."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from kernel.db import Work

_ACCOUNTS = UUID("6f1c8d1e-5d0b-5c6e-9a55-41c0de9e7e01")


def account_id(kind: str, owner_id: UUID | None, currency: str) -> UUID:
    """The account's id, derived from what it is: everybody computes the same one, nobody looks it up."""
    return uuid5(_ACCOUNTS, f"{kind}:{owner_id}:{currency}")


class Ledger:
    """Opens accounts once per process and account; entries are written by the statements that move the money."""

    def __init__(self) -> None:
        self._open: set[UUID] = set()

    async def accounts(self, work: Work, kind: str, owners: Sequence[UUID | None], currency: str) -> list[UUID]:
        """Ids of the accounts of `owners`, in their order, opened where they were not."""
        ids = [account_id(kind, owner, currency) for owner in owners]
        missing = [(i, o) for i, o in zip(ids, owners, strict=True) if i not in self._open]
        if missing:
            await work.run(
                "insert into ledger_accounts (id, kind, owner_id, currency) "
                "select id, $1, owner, $2 from unnest($3::uuid[], $4::uuid[]) a(id, owner) order by id "
                "on conflict do nothing",
                *(kind, currency, [i for i, _ in missing], [o for _, o in missing]),
            )

            async def remember() -> None:
                self._open.update(i for i, _ in missing)

            work.after_commit(remember)
        return ids

    async def balance(self, work: Work, kind: str, owner_id: UUID | None, currency: str) -> int:
        """Debits minus credits of an account, minor units."""
        found: int = await work.value(
            "select coalesce(sum(case when debit_id = $1 then amount else -amount end), 0)::bigint "
            "from ledger_entries where debit_id = $1 or credit_id = $1",
            account_id(kind, owner_id, currency),
        )
        return found
