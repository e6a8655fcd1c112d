"""How much room text takes, without a font at hand."""

from __future__ import annotations

FAMILY = "Helvetica, Arial, 'Liberation Sans', sans-serif"
MONOSPACED = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

MONOSPACED_WIDTH = 0.61
"""Of a character, in units of the font's size; that of the widest of the usual fonts."""

_WIDTHS = {0.26: "ijlI.,:;|!' ", 0.34: 'ftr()[]{}/\\-"', 0.5: "cksvxyzJ", 0.72: "ABCDEFGHKNOPQRSUVXYZ&w", 0.86: "mMW%@"}
_BY_CHARACTER = {character: width for width, characters in _WIDTHS.items() for character in characters}


def text_width(text: str, size: float) -> float:
    """Pixels that a line takes in Helvetica or a font like it, roughly."""
    return size * sum(_BY_CHARACTER.get(character, 0.56 if character.isascii() else 0.8) for character in text)
