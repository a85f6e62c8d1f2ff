"""Roles: those of the cast, what somebody made of them since, and who carries them."""

from dataclasses import replace

from playground.world import cast
from playground.world.cast import Json, Member
from playground.world.store import Store

_ROLE, _HELD = "role", "held-roles"
NAME = 100


def kept(store: Store) -> dict[str, Json]:
    """The roles by id, lowest first, as they were left."""
    found = {role["id"]: dict(role) for role in cast.ROLES}
    for row in store.all(_ROLE):
        if row.get("deleted"):
            found.pop(row["id"], None)
        else:
            found[row["id"]] = row
    return found


def keep(store: Store, role: Json) -> None:
    """Writes a role down."""
    store.put(_ROLE, role["id"], role)


def keep_deleted(store: Store, role_id: str) -> None:
    """Writes down that a role is gone, or one of the cast would be back after a restart."""
    store.put(_ROLE, role_id, {"id": role_id, "deleted": True})


def restore_held(store: Store, users: dict[str, Member]) -> None:
    """Gives every member the roles that they were left with."""
    for row in store.all(_HELD):
        if row["id"] in users:
            users[row["id"]] = replace(users[row["id"]], role_ids=tuple(row["roles"]))


def keep_held(store: Store, member: Member) -> None:
    """Writes down which roles a member has."""
    store.put(_HELD, member.id, {"id": member.id, "roles": list(member.role_ids)})
