"""A layered layout in the manner of Sugiyama et al. 1981: ranks, then the order in each, then places."""

from __future__ import annotations

import bisect
import itertools

from evonas.drawing.layout import GAP, RANK_GAP, Diagram, Layout, Link, Point

SWEEPS = 12
"""Passes over the ranks, down and up in turn, for the order and again for the places."""

CORRIDOR = 8.0
"""Width that a link takes in a rank which it passes."""

CORNER = 16.0
"""Of a box's width at each end, where no link meets it."""

STRAIGHT = 8.0
"""How much more a piece of a link between two corridors resists being slanted."""


def layered(diagram: Diagram) -> Layout:
    """Places for a diagram; the same for the same diagram, on any machine."""
    ranks = _ranks(diagram)
    chains, of_rank = _with_corridors(diagram, ranks)
    widths = [width for width, _ in diagram.sizes]
    widths += [CORRIDOR] * (sum(map(len, of_rank)) - len(widths))
    pieces = [piece for chain in chains for piece in itertools.pairwise(chain)]
    _order(of_rank, pieces)
    across = _places(of_rank, widths, pieces, len(diagram.sizes))
    heights = [
        max((diagram.sizes[box][1] for box in rank if box < len(diagram.sizes)), default=0.0) for rank in of_rank
    ]
    tops = list(itertools.accumulate((height + RANK_GAP for height in heights), initial=0.0))
    left = min(x - width / 2 for x, width in zip(across, widths, strict=True))
    across = [x - left for x in across]
    right = max(x + width / 2 for x, width in zip(across, widths, strict=True))
    centres = [(across[box], tops[ranks[box]] + heights[ranks[box]] / 2) for box in range(len(diagram.sizes))]
    curves = []
    for start, *corridors, end in chains:
        passed = [
            (across[corridor], tops[rank], tops[rank] + heights[rank])
            for rank, corridor in enumerate(corridors, ranks[start] + 1)
        ]
        curves.append(_curve(centres[start], diagram.sizes[start], passed, centres[end], diagram.sizes[end]))
    return Layout(centres, curves, (right, tops[-1] - RANK_GAP))


def _ranks(diagram: Diagram) -> list[int]:
    """A rank for each box below those of all that lead to it; boxes move to where their links are short."""
    before, behind = _neighbours(diagram.links, len(diagram.sizes))
    ranks = [0] * len(diagram.sizes)
    for _ in ranks:
        for start, end in diagram.links:
            ranks[end] = max(ranks[end], ranks[start] + 1)
    deepest = max(ranks)
    for box in diagram.last:
        ranks[box] = deepest
    for box in sorted(range(len(ranks)), key=lambda box: (-ranks[box], box)):
        if box not in diagram.first and behind[box] and len(behind[box]) > len(before[box]):
            ranks[box] = min(ranks[other] for other in behind[box]) - 1
    return ranks


def _neighbours(links: list[Link], count: int) -> tuple[list[list[int]], list[list[int]]]:
    """For each box those that lead to it, and those that it leads to."""
    before: list[list[int]] = [[] for _ in range(count)]
    behind: list[list[int]] = [[] for _ in range(count)]
    for start, end in links:
        before[end].append(start)
        behind[start].append(end)
    return before, behind


def _with_corridors(diagram: Diagram, ranks: list[int]) -> tuple[list[list[int]], list[list[int]]]:
    """Each link as the boxes and corridors that it leads through, a rank each; and what stands in each rank."""
    of_rank: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for box, rank in enumerate(ranks):
        of_rank[rank].append(box)
    chains, corridors = [], itertools.count(len(ranks))
    for start, end in diagram.links:
        between = [next(corridors) for _ in range(ranks[start] + 1, ranks[end])]
        for rank, corridor in enumerate(between, ranks[start] + 1):
            of_rank[rank].append(corridor)
        chains.append([start, *between, end])
    return chains, of_rank


def _order(of_rank: list[list[int]], pieces: list[Link]) -> None:
    """Sort each rank so that few links cross: barycentres, the best of all sweeps."""
    before, behind = _neighbours(pieces, sum(map(len, of_rank)))
    best, fewest = [list(rank) for rank in of_rank], _crossings(of_rank, behind)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for upper, lower in itertools.pairwise(of_rank if down else of_rank[::-1]):
            place = {box: number for number, box in enumerate(upper)}
            near = before if down else behind
            mean = {
                box: sum(place[other] for other in near[box]) / len(near[box]) if near[box] else float(number)
                for number, box in enumerate(lower)
            }
            lower.sort(key=mean.__getitem__)
        crossings = _crossings(of_rank, behind)
        if crossings < fewest:
            best, fewest = [list(rank) for rank in of_rank], crossings
    of_rank[:] = best


def _crossings(of_rank: list[list[int]], behind: list[list[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(of_rank):
        place = {box: number for number, box in enumerate(lower)}
        seen: list[int] = []
        for box in upper:
            ends = sorted(place[end] for end in behind[box])
            total += sum(len(seen) - bisect.bisect_right(seen, end) for end in ends)
            for end in ends:
                bisect.insort(seen, end)
    return total


def _places(of_rank: list[list[int]], widths: list[float], pieces: list[Link], boxes: int) -> list[float]:
    """Where each box and corridor is across: near what it is linked with, in its order and without overlap."""
    pulls: list[list[tuple[int, float]]] = [[] for _ in widths]
    for start, end in pieces:
        weight = STRAIGHT ** ((start >= boxes) + (end >= boxes))
        pulls[start].append((end, weight))
        pulls[end].append((start, weight))
    across = [0.0] * len(widths)
    for rank in of_rank:
        for box, place in zip(rank, _apart([0.0] * len(rank), [1.0] * len(rank), rank, widths), strict=True):
            across[box] = place
    for sweep in range(2 * SWEEPS):
        for rank in of_rank if sweep % 2 == 0 else of_rank[::-1]:
            weights = [sum(weight for _, weight in pulls[box]) for box in rank]
            wished = [
                sum(across[other] * weight for other, weight in pulls[box]) / total if total else across[box]
                for box, total in zip(rank, weights, strict=True)
            ]
            weights = [max(weight, 0.1) for weight in weights]
            for box, place in zip(rank, _apart(wished, weights, rank, widths), strict=True):
                across[box] = place
    return across


def _apart(wished: list[float], weights: list[float], rank: list[int], widths: list[float]) -> list[float]:
    """The places nearest to the wished ones, in weighted squares, at which nothing overlaps: isotonic regression."""
    offsets, offset = [], 0.0
    for number, box in enumerate(rank):
        offset += (widths[rank[number - 1]] + widths[box]) / 2 + GAP if number else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, members
    for place, weight, offset in zip(wished, weights, offsets, strict=True):
        mean, members = place - offset, 1
        while blocks and blocks[-1][0] >= mean:
            earlier, other, more = blocks.pop()
            mean = (earlier * other + mean * weight) / (other + weight)
            weight, members = other + weight, members + more
        blocks.append((mean, weight, members))
    means = [mean for mean, _, members in blocks for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _curve(
    start: Point, start_size: Point, passed: list[tuple[float, float, float]], end: Point, end_size: Point
) -> list[Point]:
    """From the lower edge of a box to the upper edge of another; straight down in the corridors ``(x, top, bottom)``."""
    leaving = _port(start[0], start_size[0], passed[0][0] if passed else end[0])
    arriving = _port(end[0], end_size[0], passed[-1][0] if passed else start[0])
    curve = [(leaving, start[1] + start_size[1] / 2)]
    for x, top, bottom in [*passed, (arriving, end[1] - end_size[1] / 2, None)]:
        middle = (curve[-1][1] + top) / 2
        curve += [(curve[-1][0], middle), (x, middle), (x, top)]
        if bottom is not None:
            curve += [(x, top), (x, bottom), (x, bottom)]
    return curve


def _port(centre: float, width: float, other: float) -> float:
    """Where a link meets a box: toward its other end, away from the corners."""
    reach = max(0.0, width / 2 - CORNER)
    return centre + max(-reach, min(reach, (other - centre) / 4))
