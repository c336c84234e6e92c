"""The round through a place is short: never longer than an S-shape, and much shorter than order by order."""

from itertools import permutations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from commerce.warehouse.rules import AISLE_WIDTH, Spot, route, walk

SPOTS = st.lists(st.builds(Spot, st.integers(1, 5), st.integers(1, 12)), max_size=20)


def test_the_way_is_measured_in_bays() -> None:
    assert walk([], 10) == 0
    assert walk([Spot(1, 3)], 10) == 2 * (3 + AISLE_WIDTH)
    assert walk([Spot(1, 8), Spot(2, 9)], 10) == (8 + 4) + (2 + 1 + 4) + (9 + 8), "out at the back, one aisle on"


def test_one_stop_in_every_aisle_is_an_s_shape() -> None:
    """Deep stops in two aisles: through the first to the back, through the second to the front."""
    spots = [Spot(2, 2), Spot(1, 9), Spot(2, 9), Spot(1, 1)]
    assert route(spots, 10) == [Spot(1, 1), Spot(1, 9), Spot(2, 9), Spot(2, 2)]


def test_an_aisle_is_walked_against_the_s_where_that_is_shorter() -> None:
    """One deep stop in the first two aisles: out at the back of the first, and back out of the second where it is entered."""
    spots = [Spot(1, 9), Spot(2, 9), Spot(3, 9), Spot(3, 1)]
    assert route(spots, 10) == [Spot(1, 9), Spot(2, 9), Spot(3, 9), Spot(3, 1)]
    assert walk(route(spots, 10), 10) < walk(s_shape(spots), 10)


def s_shape(spots: list[Spot]) -> list[Spot]:
    aisles = sorted({spot.aisle for spot in spots})
    stops = [sorted({spot for spot in spots if spot.aisle == aisle}) for aisle in aisles]
    return [spot for i, found in enumerate(stops) for spot in (found if i % 2 == 0 else found[::-1])]


@given(SPOTS)
def test_a_round_visits_every_spot_once(spots: list[Spot]) -> None:
    found = route(spots, 13)
    assert sorted(found) == sorted(set(spots))
    assert walk(found, 13) <= min(walk(sorted(set(spots)), 13), walk(s_shape(spots), 13))


def test_a_round_of_few_stops_is_within_a_fifth_of_the_best_one() -> None:
    random = Random(7)
    worst, total, best_total = 0.0, 0, 0
    for _ in range(60):
        spots = list({Spot(random.randint(1, 4), random.randint(1, 12)) for _ in range(6)})
        best = min(walk(order, 13) for order in permutations(spots))
        length = walk(route(spots, 13), 13)
        worst, total, best_total = max(worst, length / best), total + length, best_total + best
    assert total / best_total < 1.2
    assert worst < 1.6


def test_twenty_orders_in_one_round_are_a_fraction_of_the_way_of_each_alone() -> None:
    random = Random(11)
    orders = [[Spot(random.randint(1, 6), random.randint(1, 20)) for _ in range(3)] for _ in range(20)]
    alone = sum(walk(route(spots, 21), 21) for spots in orders)
    together = walk(route([spot for spots in orders for spot in spots], 21), 21)
    assert (together, alone) == (174, 1578)
    assert together * 5 < alone
