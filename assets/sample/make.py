#!/usr/bin/env python3
"""Draws the sample: a chest X-ray that nobody sat for, with opacities in the lower left and middle right of the image, and their
mask. Standard library only: python3 assets/sample/make.py"""

import math
import pathlib
import random
import struct
import zlib

SIDE = 512
HERE = pathlib.Path(__file__).parent


def png(path, rows):
    raw = b"".join(b"\0" + bytes(row) for row in rows)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def noise(seed, cell):
    """Smooth noise in 0..1 on a grid of that cell size."""
    draw = random.Random(seed)
    count = (SIDE + 64) // cell + 3
    grid = [[draw.random() for _ in range(count)] for _ in range(count)]

    def at(x, y):
        gx, gy = x / cell, y / cell
        i, j = int(gx), int(gy)
        u, v = gx - i, gy - j
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        top = grid[j][i] * (1 - u) + grid[j][i + 1] * u
        low = grid[j + 1][i] * (1 - u) + grid[j + 1][i + 1] * u
        return top * (1 - v) + low * v

    return at


def soft(distance, width):
    """1 inside (negative distance), 0 outside, smooth over width."""
    return 1 / (1 + math.exp(max(-40, min(40, distance / width))))


def ellipse(x, y, cx, cy, rx, ry, tilt=0.0):
    dx, dy = x - cx, y - cy
    c, s = math.cos(tilt), math.sin(tilt)
    return (math.hypot((dx * c + dy * s) / rx, (dy * c - dx * s) / ry) - 1) * min(rx, ry)


coarse, middle, fine = noise(1, 64), noise(2, 18), noise(3, 5)
grain = random.Random(4)
LESIONS = [(0.285, 0.655, 0.085, 0.105, 0.2), (0.70, 0.52, 0.075, 0.075, -0.3)]

picture, mask = [], []
for row in range(SIDE):
    picture_row, mask_row = [], []
    for column in range(SIDE):
        x, y = (column + 0.5) / SIDE, (row + 0.5) / SIDE
        value = 0.72 + 0.10 * (coarse(column, row) - 0.5)
        body = soft(ellipse(x, y, 0.5, 0.62, 0.50, 0.64), 0.012)
        neck = soft(ellipse(x, y, 0.5, 0.02, 0.13, 0.16), 0.02)
        value *= max(body, neck)
        bend = 0.03 * math.sin(5 * y)
        lungs = 0.0
        for cx, sign in ((0.295, 1), (0.705, -1)):
            shape = ellipse(x, y, cx + sign * bend * 0.4, 0.47, 0.165, 0.335, sign * 0.12)
            dome = y - (0.775 - 0.04 * math.cos((x - cx) * 9) + (0.02 if sign < 0 else 0.0))
            lungs = max(lungs, soft(shape, 0.014) * soft(dome, 0.010))
        heart = soft(ellipse(x, y, 0.555, 0.645, 0.125, 0.155, -0.5), 0.018)
        aorta = soft(ellipse(x, y, 0.545, 0.38, 0.045, 0.075), 0.02)
        lungs *= 1 - 0.95 * max(heart, 0.8 * aorta)
        value -= 0.53 * lungs
        vessels = max(0.0, middle(column, row) - 0.55) * math.exp(-((abs(x - 0.5) - 0.13) ** 2) / 0.006) * lungs
        value += 0.35 * vessels
        spine = math.exp(-((x - 0.5) / 0.035) ** 2) * (0.8 + 0.2 * math.cos(y * 95))
        value += 0.11 * spine * body
        for rib in range(10):
            for sign in (1, -1):
                cx = 0.5 - sign * 0.04
                u = (cx - x) * sign
                if u > 0:
                    level = 0.13 + 0.072 * rib + 1.1 * (u - 0.16) ** 2 + 0.10 * u
                    value += 0.055 * math.exp(-((y - level) / 0.011) ** 2) * soft(u - 0.40, 0.02) * body
        clavicle = y - (0.165 - 0.20 * abs(abs(x - 0.5) - 0.03) + 0.25 * (x - 0.5) ** 2)
        value += 0.10 * math.exp(-(clavicle / 0.012) ** 2) * soft(abs(x - 0.5) - 0.36, 0.02) * body
        is_lesion = False
        for cx, cy, rx, ry, tilt in LESIONS:
            edge = ellipse(x, y, cx, cy, rx, ry, tilt) + 0.035 * (middle(column + 40, row + 40) - 0.5)
            haze = soft(edge, 0.022) * (0.85 + 0.2 * fine(column, row) + 0.2 * middle(column, row))
            value += 0.30 * haze * lungs
            is_lesion |= edge < 0.012 and lungs > 0.5
        value += 0.02 * (fine(column, row) - 0.5) + grain.gauss(0, 0.008)
        picture_row.append(max(0, min(255, round(value * 255))))
        mask_row.append(255 if is_lesion else 0)
    picture.append(picture_row)
    mask.append(mask_row)

png(HERE / "chest-phantom.png", picture)
png(HERE / "mask_chest-phantom.png", mask)
