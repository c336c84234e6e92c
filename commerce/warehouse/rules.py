"""The way through a place, as pure functions. Lengths are in bays: one bay along an aisle is 1.

Aisles stand side by side and can be left at both ends. The round begins and ends at the door: aisle 0, at the front."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

AISLE_WIDTH = 4
"""From the middle of one aisle to the middle of the next, in bays."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a bin stands; how high it lies costs no way."""

    aisle: int
    bay: int


DOOR = Spot(0, 0)


def walk(spots: Sequence[Spot], end: int) -> int:
    """How long the round is that visits spots in this order. `end` is the bay at which aisles end."""
    return _length([DOOR, *spots, DOOR], end)


def route(spots: Sequence[Spot], end: int) -> list[Spot]:
    """A short round through spots, aisle by aisle, each walked in the direction that makes the whole shortest (dynamic
    programming over both). It is never longer than an S-shape, whose directions alternate; a round that comes back to an
    aisle could still be shorter."""
    rounds: list[list[Spot]] = [[]]
    for _, found in groupby(sorted(set(spots)), key=lambda spot: spot.aisle):
        stops = list(found)
        rounds = [
            min(([*before, *way] for before in rounds), key=lambda done: _length([DOOR, *done], end))
            for way in (stops, stops[::-1])
        ]
    return min(rounds, key=lambda done: walk(done, end))


def _length(spots: Sequence[Spot], end: int) -> int:
    return sum(_between(a, b, end) for a, b in pairwise(spots))


def _between(a: Spot, b: Spot, end: int) -> int:
    if a.aisle == b.aisle:
        return abs(a.bay - b.bay)
    front, back = a.bay + b.bay, 2 * end - a.bay - b.bay
    return min(front, back) + abs(a.aisle - b.aisle) * AISLE_WIDTH
