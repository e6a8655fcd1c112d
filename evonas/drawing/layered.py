"""A layered layout in the manner of Sugiyama et al. 1981: ranks, then the order in each, then places."""

from __future__ import annotations

import bisect
import itertools

from evonas.drawing.curve import through
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
    _order(of_rank, [piece for chain in chains for piece in itertools.pairwise(chain)])
    across = _places(of_rank, widths, _pulls(diagram, chains, len(widths)))
    left = min(x - width / 2 for x, width in zip(across, widths, strict=True))
    right = max(x + width / 2 for x, width in zip(across, widths, strict=True))
    across = [x - left for x in across]
    spans = _spans(diagram, ranks)
    centres = [(across[box], sum(spans[rank]) / 2) for box, rank in enumerate(ranks)]
    curves = []
    for chain in chains:
        corridors = [across[corridor] for corridor in chain[1:-1]]
        passed = _passed(corridors, spans[ranks[chain[0]] + 1 : ranks[chain[-1]]])
        curves.append(through(_ends(centres, diagram.sizes, chain[0], passed, chain[-1])))
    return Layout(centres, curves, (right - left, spans[-1][1]))


def _spans(diagram: Diagram, ranks: list[int]) -> list[Point]:
    """Top and bottom of each rank."""
    heights = [0.0] * (max(ranks) + 1)
    for rank, (_, height) in zip(ranks, diagram.sizes, strict=True):
        heights[rank] = max(heights[rank], height)
    tops = itertools.accumulate((height + RANK_GAP for height in heights), initial=0.0)
    return [(top, top + height) for top, height in zip(tops, heights, strict=False)]


def _ranks(diagram: Diagram) -> list[int]:
    """A rank for each box below those of all that lead to it: links are short, and ranks are not crowded."""
    before, behind = _neighbours(diagram.links, len(diagram.sizes))
    ranks = [0] * len(diagram.sizes)
    for _ in ranks:
        for start, end in diagram.links:
            ranks[end] = max(ranks[end], ranks[start] + 1)
    for box in diagram.last:
        ranks[box] = max(ranks)
    room = [0.0] * (max(ranks) + 1)
    for rank, (width, _) in zip(ranks, diagram.sizes, strict=True):
        room[rank] += width
    for box in sorted(range(len(ranks)), key=lambda box: (-ranks[box], box)):
        if box in diagram.first or not behind[box] or len(behind[box]) < len(before[box]):
            continue
        lowest = min(ranks[other] for other in behind[box]) - 1
        room[ranks[box]] -= diagram.sizes[box][0]
        # One that as many links lead to as from is no further from them anywhere between.
        free = range(ranks[box], lowest + 1) if len(behind[box]) == len(before[box]) else [lowest]
        ranks[box] = min(free, key=lambda rank: (room[rank], rank))
        room[ranks[box]] += diagram.sizes[box][0]
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


def _pulls(diagram: Diagram, chains: list[list[int]], count: int) -> list[list[tuple[int, float]]]:
    """For each box and corridor those that it is linked with, and how strongly each pulls."""
    pulls: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for chain, weight in zip(chains, diagram.weights, strict=True):
        for start, end in itertools.pairwise(chain):
            pull = weight * (STRAIGHT if min(start, end) >= len(diagram.sizes) else 1.0)
            pulls[start].append((end, pull))
            pulls[end].append((start, pull))
    return pulls


def _places(of_rank: list[list[int]], widths: list[float], pulls: list[list[tuple[int, float]]]) -> list[float]:
    """Where each box and corridor is across: near what it is linked with, in its order and without overlap."""
    across = [0.0] * len(widths)
    for rank in of_rank:
        for box, place in zip(rank, _apart([0.0] * len(rank), [1.0] * len(rank), rank, widths), strict=True):
            across[box] = place
    for sweep in range(4 * SWEEPS):
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


def _passed(corridors: list[float], spans: list[Point]) -> list[Point]:
    """The points of a link in its corridors.

    It turns above the first and below the last of their ranks, not to cut the corners of the boxes beside them.
    """
    if not corridors:
        return []
    inner = [(x, sum(span) / 2) for x, span in zip(corridors, spans, strict=True)][1:-1]
    return [(corridors[0], spans[0][0]), *inner, (corridors[-1], spans[-1][1])]


def _ends(centres: list[Point], sizes: list[Point], start: int, passed: list[Point], end: int) -> list[Point]:
    """The points that a link runs through: from the lower edge of a box to the upper edge of another."""
    (left, top), (right, bottom) = centres[start], centres[end]
    leaving = _port(left, sizes[start][0], passed[0][0] if passed else right)
    arriving = _port(right, sizes[end][0], passed[-1][0] if passed else left)
    return [(leaving, top + sizes[start][1] / 2), *passed, (arriving, bottom - sizes[end][1] / 2)]


def _port(centre: float, width: float, other: float) -> float:
    """Where a link meets a box: toward its other end, away from the corners."""
    reach = max(0.0, width / 2 - CORNER)
    return centre + max(-reach, min(reach, (other - centre) / 4))
