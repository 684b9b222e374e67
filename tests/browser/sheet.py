"""One picture of many, so that a person looks through them quickly."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

CELL, GAP, CAPTION = 640, 16, 22
TALLEST = 1.4
"""A picture's height in widths, at most; what is below that is cut off."""


PER_SHEET = 9
"""More of them, and a viewer that shows a sheet as a whole shows nothing."""


def contact_sheets(pictures: Sequence[Path], folder: Path, name: str) -> None:
    """All pictures, some on each sheet."""
    for number, at in enumerate(range(0, len(pictures), PER_SHEET), start=1):
        contact_sheet(pictures[at : at + PER_SHEET], folder / f"sheet-{name}-{number:02d}.png")


def contact_sheet(pictures: Sequence[Path], target: Path, columns: int = 3) -> None:
    """Pictures with their names, row by row."""
    cells = [_cell(path) for path in pictures]
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) + GAP for row in rows]
    sheet = Image.new("RGB", (columns * (CELL + GAP) + GAP, sum(heights) + GAP), "#777")
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            sheet.paste(cell, (GAP + column * (CELL + GAP), top))
        top += height
    sheet.save(target)


def _cell(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    narrow = picture.width < 700
    width = CELL // 2 if narrow else CELL
    height = min(round(picture.height * width / picture.width), round(width * (3 if narrow else TALLEST)))
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    cell = Image.new("RGB", (CELL, height + CAPTION), "#333")
    cell.paste(picture.crop((0, 0, width, height)), (0, CAPTION))
    ImageDraw.Draw(cell).text((6, 5), path.stem, fill="white")
    return cell
