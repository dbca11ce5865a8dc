"""Boxes and rings that are drawn around digits: forms, tables, answers."""

import cv2
import numpy as np

from digits.images.pieces import SMALLEST, Piece, connected, framed


def unbox(piece: Piece) -> list[Piece]:
    """Free a digit that touches the box around it: take away its outermost strokes."""
    inner, band = piece.mask.copy(), max(1, piece.size // 8)
    for turns in range(4):
        outside, rest = np.rot90(piece.mask, turns), np.rot90(inner, turns)
        if piece.width > 1.6 * piece.height or outside[:band].any(axis=0).mean() < 0.95:
            return [piece]
        start = outside.argmax(axis=0)
        rows = np.arange(len(outside))[:, None]
        end = np.where((rows > start) & ~outside, rows, len(outside)).min(axis=0)
        thick = 1.5 * np.median(end - start)
        rest &= (rows < start) | (rows > start + thick)
    parts = [p for p in connected(inner) if p.height > 0.35 * piece.height]
    parts = [Piece(p.mask, p.x + piece.x, p.y + piece.y) for p in parts]
    return parts if len(parts) == 1 else [piece]


def drop_boxes(pieces: list[Piece]) -> list[Piece]:
    """Drop boxes and rings around digits: what has writing in a hole is no digit itself."""
    large = [p for p in pieces if p.size >= SMALLEST]
    x, y = (np.array([getattr(p, name) for p in large]) for name in "xy")
    width, height = (np.array([getattr(p, name) for p in large]) for name in ("width", "height"))
    boxes = []
    for p in large:
        within = (x > p.x) & (x + width < p.x + p.width) & (y > p.y)
        within &= y + height < p.y + p.height
        if within.any() and _has_holes_with(p, [large[i] for i in np.flatnonzero(within)]):
            boxes.append(p)
    return [p for p in pieces if p not in boxes]


def _has_holes_with(box: Piece, others: list[Piece]) -> bool:
    """Return whether one of `others` is in a hole of `box` and not far smaller than that."""
    paper = framed(1 - box.mask, 0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    for other in others:
        around = labels[other.y - box.y :, other.x - box.x :]
        hole = np.bincount(around[: other.height, : other.width][other.mask]).argmax()
        left, top, width, height, _ = stats[hole]
        inside = left > 0 and top > 0 and left + width < box.width and top + height < box.height
        if hole > 0 and inside and other.height > 0.4 * height:
            return True
    return False
