"""Which of a layer's pictures stand for it at a glance: those that show something, no two of them alike."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from analysis.atlas.atlas import Atlas
from dashboard.pictures import spread

CANDIDATES = 48
"""Pictures of a layer that are looked at: all of as many sheets as that takes, evenly over its channels."""
SIDE = 48
"""Pictures are looked at in at most so many px a side: a sheet then takes milliseconds."""
SHEET = "sheet.webp"
ENOUGH = 0.15
"""Mean distance of a picture's lightness from its median, of [0, 1], at which it has contrast enough. One of a single
spot on blank has little, unlike its deviation."""


def most_telling(atlas: Atlas, rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` of these rows of `Atlas.features`, the most telling first.

    Each next one is that of the greatest (difference from those taken before × what there is on it): a greedy choice
    of farthest points that passes over blank pictures while there are others. Evenly spread where a sheet is damaged.
    """
    parts = [part for _, part in _candidates(rows).groupby("folder", sort=False)]
    try:
        looks = np.concatenate([_looks(atlas, str(part["folder"].iloc[0]), part) for part in parts])
    except (OSError, IndexError):
        return rows.iloc[spread(range(len(rows)), count)]
    return pd.concat(parts).iloc[farthest(looks[:, 1:], looks[:, 0], count)]


def farthest(points: np.ndarray, weights: np.ndarray, count: int) -> list[int]:
    """Numbers of at most `count` of the points [N, D], each far from those before it; of equals the first."""
    taken: list[int] = []
    distance = np.ones(len(points))
    while len(taken) < min(count, len(points)):
        worth = distance * weights
        worth[taken] = -1
        taken.append(int(worth.argmax()))
        apart = np.linalg.norm(points - points[taken[-1]], axis=1)
        distance = apart if len(taken) == 1 else np.minimum(distance, apart)
    return taken


def _candidates(rows: pd.DataFrame) -> pd.DataFrame:
    folders = list(rows["folder"].unique())
    sheets = max(1, CANDIDATES * len(folders) // max(1, len(rows)))
    kept = [folders[place] for place in spread(range(len(folders)), sheets)]
    return rows[rows["folder"].isin(kept)]


def _looks(atlas: Atlas, folder: str, rows: pd.DataFrame) -> np.ndarray:
    facts = atlas.facts(folder)
    side = facts["tile"]
    width, height = (side, side) if isinstance(side, int) else side
    return looks_of_sheet(atlas.path(f"{folder}/{SHEET}"), width, height, facts["columns"])[rows["tile"].to_numpy(int)]


@lru_cache(maxsize=4096)
def looks_of_sheet(file: Path, width: int, height: int, columns: int) -> np.ndarray:
    """[tiles, 1 + D] of a sheet, whose content never changes."""
    sheet = Image.open(io.BytesIO(file.read_bytes())).convert("RGB")
    rows, across, down = sheet.height // height, min(width, SIDE), min(height, SIDE)
    whole = (0, 0, columns * width, rows * height)
    small = np.asarray(sheet.resize((columns * across, rows * down), Image.Resampling.BOX, whole))
    return looks_of(small.reshape(rows, down, columns, across, 3).swapaxes(1, 2).reshape(-1, down, across, 3))


def looks_of(pictures: np.ndarray) -> np.ndarray:
    """[N, H, W, 3] uint8 → [N, 7]: how much there is on each, 0 … 1; then what tells it from others.

    That is its colour (3), how fine it is, and its orientation: cos 2θ and sin 2θ of the structure tensor times its
    coherence, all of about equal reach. Borders are left out: pictures end there in marks of their own.
    """
    edge_y, edge_x = (side // 8 for side in pictures.shape[1:3])
    inner = (
        pictures[:, edge_y : pictures.shape[1] - edge_y, edge_x : pictures.shape[2] - edge_x].astype(np.float32) / 255
    )
    light = inner.mean(axis=3)
    down, right = np.diff(light, axis=1)[:, :, :-1], np.diff(light, axis=2)[:, :-1]
    yy, xx, xy = (np.mean(a * b, axis=(1, 2)) for a, b in ((down, down), (right, right), (down, right)))
    energy = yy + xx + 1e-6
    across, along = (xx - yy) / energy, 2 * xy / energy
    deviation = light.std(axis=(1, 2))
    fine = np.sqrt(energy) / (deviation + 0.02)
    contrast = np.abs(light - np.median(light, axis=(1, 2), keepdims=True)).mean(axis=(1, 2))
    shown = np.minimum(1, contrast / ENOUGH) * (0.5 + 0.5 * np.hypot(across, along))
    return np.column_stack([shown, inner.mean(axis=(1, 2)), fine, across, along])
