"""Small data sets: pictures of three kinds that a small network tells apart, and broken ones."""
import os
import struct
import zlib

import h5py
import numpy as np

CLASSES = ("blob", "line", "rise")
SIDE = 48


def png(pixels):
    """The PNG of an array (rows, columns, 3) of bytes."""
    rows, columns, _ = pixels.shape

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    raw = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def picture(kind, number, side=SIDE):
    """Pixels of a glitch: a blob, a horizontal line or a rising one, in noise that `number` decides."""
    rng = np.random.default_rng([number, CLASSES.index(kind)])
    y, x = np.mgrid[0:side, 0:side] / side
    cx, cy = rng.uniform(0.35, 0.65, 2)
    distance = {"blob": np.hypot(x - cx, y - cy), "line": abs(y - cy), "rise": abs(y - cy + x - cx) / 2}[kind]
    grey = 60 + 30 * rng.random((side, side)) + 150 * np.exp(-(distance / 0.08) ** 2)
    return np.clip(np.stack([grey, grey * 0.8, 255 - grey], axis=-1), 0, 255).astype(np.uint8)


def write(path, content):
    """Writes bytes or text, making the folders above."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def folder(path, per_class=10, labels=CLASSES, side=SIDE):
    """A folder of class folders; `labels` are given to the kinds in turn. An int, or one for each class."""
    counts = [per_class] * len(labels) if isinstance(per_class, int) else per_class
    for c, label in enumerate(labels):
        for i in range(counts[c]):
            kind = CLASSES[c % len(CLASSES)]
            name = os.path.join(os.fsencode(path), os.fsencode(label), f"g{i:02}.png".encode())
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "wb") as f:
                f.write(png(picture(kind, i, side)))
    return path


DURATIONS = ("0.5", "1.0", "2.0", "4.0")
PARTS = ("train", "train", "train", "train", "validation", "test")


def spectrogram(kind, number):
    """A grey picture as Gravity Spy's HDF5 files hold it."""
    return picture(kind, number, 170)[None, :140, :, 1].astype(np.float32) / 255


def gravity_spy(path, per_class=6, labels=CLASSES):
    """A file in Gravity Spy's layout; ids are LABEL0, LABEL1, …, in turn in the parts of PARTS."""
    with h5py.File(path, "w") as f:
        for c, label in enumerate(labels):
            for i in range(per_class):
                for d, duration in enumerate(DURATIONS):
                    f[f"{label}/{PARTS[i % len(PARTS)]}/{label}{i}/{duration}.png"] = spectrogram(CLASSES[c % len(CLASSES)], 4 * i + d)
    return path


def truncated(path):
    """A PNG of which the second half is missing."""
    whole = png(picture("blob", 99))
    return write(path, whole[: len(whole) // 2])
