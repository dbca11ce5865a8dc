"""Boxes and rings that are drawn around digits: forms, tables, answers."""

import cv2
import numpy as np

from digits.images.pieces import SMALLEST, Piece, connected


def unbox(piece: Piece) -> list[Piece]:
    """Free a digit that touches the box around it: take away its outermost strokes."""
    if piece.width > 1.6 * piece.height:
        return [piece]
    inner, band = piece.mask.copy(), max(1, piece.size // 8)
    for turns in range(4):
        outside, rest = np.rot90(piece.mask, turns), np.rot90(inner, turns)
        if outside[:band].any(axis=0).mean() < 0.95:
            return [piece]
        start = outside.argmax(axis=0)
        rows = np.arange(len(outside))[:, None]
        end = np.where((rows > start) & ~outside, rows, len(outside)).min(axis=0)
        thick = 1.5 * np.median(end - start)
        rest &= (rows < start) | (rows > start + thick)
    parts = [p for p in connected(inner) if p.height > 0.35 * piece.height]
    return [parts[0].moved(piece.x, piece.y)] if len(parts) == 1 else [piece]


def drop_boxes(pieces: list[Piece]) -> list[Piece]:
    """Drop boxes and rings around digits: what has writing in a hole is no digit itself."""
    large = [p for p in pieces if p.size >= SMALLEST]
    start = np.array([(p.x, p.y) for p in large])
    end = np.array([(p.x + p.width, p.y + p.height) for p in large])
    boxes = set()
    for i, box in enumerate(large):
        within = ((start > start[i]) & (end < end[i])).all(axis=1)
        if within.any() and _has_in_a_hole(box, [large[j] for j in np.flatnonzero(within)]):
            boxes.add(box)
    return [p for p in pieces if p not in boxes]


def _has_in_a_hole(box: Piece, others: list[Piece]) -> bool:
    """Return whether one of `others` is in a hole of `box` and not far smaller than that."""
    paper = (~box.mask).astype("uint8")
    _, labels, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    for other in others:
        around = other.moved(-box.x, -box.y).inside(labels)
        hole = np.bincount(around[other.mask]).argmax()
        left, top, width, height, _ = stats[hole]
        inside = left > 0 and top > 0 and left + width < box.width and top + height < box.height
        if hole > 0 and inside and other.height > 0.4 * height:
            return True
    return False
