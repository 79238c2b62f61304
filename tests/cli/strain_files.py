"""Strain as gwosc.org publishes it, with a known signal in it."""
import h5py
import numpy as np

START = 1126259400
MERGER = START + 20.42  # where write() puts its signal


def write(path, seconds=40, rate=2048, signals=((MERGER, 150),), bad=(), gap=None, detector="H1"):
    """White noise with sine-Gaussians of Q 8 and SNR 40 at (GPS, Hz). `bad`: GPS times of samples that are NaN; `gap`: first
    and last second without data. Returns the path."""
    rng = np.random.default_rng(5)
    t = START + np.arange(seconds * rate) / rate
    x = rng.standard_normal(len(t))
    for gps, hz in signals:
        tau = 8 / (np.sqrt(2) * np.pi * hz)
        burst = np.exp(-((t - gps) / tau) ** 2) * np.sin(2 * np.pi * hz * (t - gps))
        x += 40 * burst / np.sqrt((burst ** 2).sum())
    x *= 1e-21
    for gps in bad:
        x[int((gps - START) * rate)] = np.nan
    mask = np.full(seconds, 127, np.uint32)
    if gap:
        mask[gap[0]:gap[1]] = 0
        x[gap[0] * rate:gap[1] * rate] = np.nan
    with h5py.File(path, "w") as f:
        f.create_dataset("strain/Strain", data=x, compression="gzip").attrs.update(
            {"Xstart": START, "Xspacing": 1 / rate, "Npoints": len(x)})
        f["meta/GPSstart"], f["meta/Duration"] = START, seconds
        f["meta/Detector"] = detector
        f["quality/simple/DQmask"] = mask
    return path
