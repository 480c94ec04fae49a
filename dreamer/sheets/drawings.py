"""What people draw, to judge dreams by: six canvases, drawn with the site's own brush.

Each is made of strokes as a browser would send them, so lines are as soft, and as thin, as on the live canvas. All
numbers below are in canvases of 1000 x 1000; `draw` scales them to the size that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from canvas import brush, growth, wire
from canvas.brush import Pixels
from canvas.picture import blank

Colour = tuple[int, int, int]
XY = tuple[float, float]

BLACK = (29, 29, 31)
GREY = (120, 122, 128)
BROWN = (131, 76, 36)
RED = (214, 48, 49)
ORANGE = (232, 119, 34)
YELLOW = (244, 180, 26)
GREEN = (64, 160, 67)
BLUE = (32, 88, 190)
SKY = (116, 185, 236)
PINK = (240, 130, 170)
VIOLET = (110, 80, 180)


class Sheet:
    """A white canvas of `side` pixels and a hand that draws on it."""

    def __init__(self, side: int) -> None:
        self.pixels, self.scale = blank(side, side, (255, 255, 255)), side / 1000
        self.strokes: list[wire.Stroke] = []

    def line(self, points: Iterable[XY], colour: Colour, width: float = 8, opacity: int = 255) -> None:
        """One stroke through `points`, `width` wide."""
        eighths = 8 * self.scale
        path = tuple((round(x * eighths), round(y * eighths), max(8, round(width * eighths))) for x, y in points)
        brush.draw(self.pixels, path, 0, colour, opacity)
        self.strokes.append(wire.Stroke(len(self.strokes), 0, colour, opacity, 0, path))

    def closed(self, points: Sequence[XY], colour: Colour, width: float = 8) -> None:
        """A stroke that ends where it began."""
        self.line([*points, points[0]], colour, width)

    def ring(self, x: float, y: float, radius: float, colour: Colour, width: float = 8, squeeze: float = 1) -> None:
        """A circle, or with `squeeze` a lying ellipse."""
        turns = np.linspace(0, 2 * np.pi, 48)
        self.line([(x + radius * np.cos(t), y + radius * squeeze * np.sin(t)) for t in turns], colour, width)


def child(sheet: Sheet) -> None:
    """A house, a sun, a cat, two clouds and grass."""
    for y in (905, 945):
        sheet.line([(x, y + 8 * np.sin(x / 90)) for x in range(20, 985, 15)], GREEN, 24)
    sheet.closed([(150, 530), (490, 530), (490, 890), (150, 890)], RED, 9)
    sheet.line([(120, 530), (320, 360), (520, 530)], BROWN, 18)
    sheet.closed([(200, 590), (290, 590), (290, 680), (200, 680)], BLUE, 8)
    sheet.line([(245, 590), (245, 680)], BLUE, 6)
    sheet.line([(200, 635), (290, 635)], BLUE, 6)
    sheet.line([(350, 890), (350, 700), (430, 700), (430, 890)], BROWN, 16)
    sheet.ring(810, 180, 70, YELLOW, 14)
    sheet.ring(810, 180, 40, YELLOW, 40)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        sheet.line([(810 + r * np.cos(angle), 180 + r * np.sin(angle)) for r in (95, 140)], YELLOW, 9)
    for x, y in ((240, 160), (500, 110)):
        for dx, radius in ((-70, 36), (0, 50), (70, 38)):
            sheet.ring(x + dx, y, radius, SKY, 11, 0.8)
    sheet.ring(690, 610, 75, BLACK, 8, 0.9)  # the cat's head
    sheet.line([(630, 565), (625, 500), (668, 545)], BLACK, 8)
    sheet.line([(750, 565), (757, 500), (713, 545)], BLACK, 8)
    for x in (664, 716):
        sheet.line([(x, 596), (x, 602)], GREEN, 15)
    sheet.line([(683, 625), (697, 625), (690, 633), (690, 650)], PINK, 7)
    for side in (-1, 1):
        for dy in (-8, 6, 20):
            sheet.line([(690 + side * 30, 632 + dy / 3), (690 + side * 100, 622 + dy * 1.6)], BLACK, 4)
    sheet.line([(640, 665), (620, 760), (630, 885), (750, 885), (762, 760), (740, 665)], BLACK, 8)
    sheet.line([(660, 885), (662, 800)], BLACK, 7)
    sheet.line([(720, 885), (718, 800)], BLACK, 7)
    sheet.line([(752, 860), (820, 850), (850, 790), (835, 730), (860, 700)], BLACK, 9)


def harbour(sheet: Sheet) -> None:
    """A boat, a fish and the sun over water, in thin lines."""
    sheet.line([(50, 750), (280, 730), (520, 765), (780, 728), (965, 752)], BLUE, 11)
    sheet.closed([(325, 715), (650, 715), (600, 785), (380, 785)], BROWN, 10)
    sheet.line([(480, 712), (480, 370)], BROWN, 11)
    sheet.closed([(495, 385), (650, 675), (497, 675)], RED, 9)
    sheet.ring(820, 190, 70, YELLOW, 12)
    sheet.ring(195, 205, 75, GREY, 8, 0.5)
    sheet.line([(268, 205), (340, 170), (340, 240), (268, 205)], GREY, 8)
    sheet.line([(150, 195), (150, 197)], BLACK, 14)


def doodle(sheet: Sheet) -> None:
    """A hundred strokes of everybody, in all colours and widths, over the whole canvas."""
    random = np.random.default_rng(7)
    colours = (BLACK, BROWN, RED, ORANGE, YELLOW, GREEN, BLUE, SKY, PINK, VIOLET)
    for _ in range(100):
        at, heading, turn = random.uniform(60, 940, 2), random.uniform(0, 2 * np.pi), 0.0
        path: list[XY] = []
        for _ in range(int(random.integers(12, 50))):
            turn = 0.8 * turn + random.normal(0, 0.16)
            heading += turn
            at = np.clip(at + 15 * np.array([np.cos(heading), np.sin(heading)]), 10, 990)
            path.append((float(at[0]), float(at[1])))
        sheet.line(path, colours[int(random.integers(len(colours)))], float(random.choice([5, 8, 14, 26])))


def name(sheet: Sheet) -> None:
    """Four letters and a flourish."""
    sheet.line([(110, 620), (130, 370), (210, 540), (290, 370), (310, 620)], BLUE, 15)
    sheet.line([(390, 370), (390, 620)], BLUE, 15)
    sheet.line([(480, 620), (480, 372), (560, 375), (605, 430), (570, 490), (485, 498), (620, 620)], BLUE, 15)
    sheet.line([(690, 620), (785, 370), (880, 620)], BLUE, 15)
    sheet.line([(725, 535), (845, 535)], BLUE, 13)
    sheet.line([(x, 715 + 16 * np.sin(x / 62)) for x in range(110, 890, 12)], BLUE, 8)


def painting(sheet: Sheet) -> None:
    """A valley in the evening: sky, sun, hills, a lake and a tree, with a wide soft brush and no white left."""
    random = np.random.default_rng(3)

    def wash(top: float, bottom: float, colours: Sequence[Colour], width: float) -> None:
        ends = np.array(colours, float)
        for y in np.arange(top, bottom, width / 5):
            at = (y - top) / (bottom - top) * (len(ends) - 1)
            low = min(int(at), len(ends) - 2)
            mixed = ends[low] + (ends[low + 1] - ends[low]) * (at - low) + random.normal(0, 5, 3)
            r, g, b = (int(v) for v in np.clip(mixed, 0, 255))
            sheet.line([(x, y + random.normal(0, 4)) for x in range(-40, 1060, 60)], (r, g, b), width)

    wash(-40, 540, [(72, 110, 176), (140, 170, 205), (248, 214, 160), (250, 170, 110)], 70)
    sheet.line([(700, 400), (701, 400)], (255, 236, 180), 120)
    for ridge, (height, colour) in enumerate([(430, (120, 116, 150)), (490, (92, 104, 118)), (560, (64, 92, 70))]):
        top = [(x, height + 50 * np.sin(x / (130 - 25 * ridge) + ridge * 2)) for x in range(-40, 1060, 20)]
        for x, y in top:
            sheet.line([(x, y + 30), (x, 700)], colour, 60)
    wash(660, 860, [(214, 170, 140), (122, 140, 160), (70, 96, 120)], 40)
    wash(860, 1040, [(86, 112, 52), (52, 78, 34)], 60)
    sheet.line([(225, 930), (235, 760), (228, 600)], (70, 48, 34), 34)
    for _ in range(150):
        x, y = random.normal((230, 520), (75, 65))
        shade = random.uniform(0.7, 1.25)
        r, g, b = (min(255, int(c * shade)) for c in (62, 104, 44))
        sheet.line([(x, y), (x + random.normal(0, 14), y + random.normal(0, 14))], (r, g, b), 26)
    for _ in range(60):
        x, y = random.uniform((0, 880), (1000, 1000))
        colour = (RED, YELLOW, (240, 240, 235))[int(random.integers(3))]
        sheet.line([(x, y), (x + 3, y + 2)], colour, 11)


def white(sheet: Sheet) -> None:
    """Nobody has drawn anything."""


DRAWINGS: dict[str, Callable[[Sheet], None]] = {
    drawing.__name__: drawing for drawing in (child, harbour, doodle, name, painting, white)
}


def draw(drawing: str, side: int) -> Pixels:
    """uint8 [side, side, 3]. KeyError for a drawing there is none of."""
    return _drawn(drawing, side).pixels


def strokes(drawing: str, side: int) -> list[wire.Stroke]:
    """How it was drawn. KeyError as above."""
    return _drawn(drawing, side).strokes


def growth_map(drawing: str, side: int) -> growth.Ages:
    """Where its ink lies, all of it new: what the first dream grows out of."""
    return growth.inked(growth.bare(side, side), _drawn(drawing, side).strokes)


def _drawn(drawing: str, side: int) -> Sheet:
    sheet = Sheet(side)
    DRAWINGS[drawing](sheet)
    return sheet
