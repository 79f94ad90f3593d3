"""`python -m tools.train.worn --shards DIR --checkpoint FILE`: which photographs wear glasses of their own.

The factory draws glasses onto photographs that nobody has checked; some in twenty wear real ones. The deleter, half
trained, finds them; `worn.npz` (kind: (n, 3) probabilities of none, clear, dark on the clean picture, in the shards'
order) keeps them out of the deleter's "no glasses" and of the generator's clean pictures.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engines.networks.deleter import Deleter
from realtime.align import STRIP
from tools.train.samples import Samples
from tools.train.start import load_shipped
from tools.train.trainer import load_weights, pictures

FILE = "worn.npz"
BATCH = 16


def worn_kinds(samples: Samples, model: torch.nn.Module) -> np.ndarray:
    """(n, 3) float32 probabilities of none, clear, dark on the `clean` pictures, averaged with their mirror images."""
    kinds = []
    for start in tqdm(range(0, len(samples), BATCH), desc="looking for glasses", disable=None):
        rows = range(start, min(start + BATCH, len(samples)))
        strips = pictures(torch.from_numpy(np.stack([samples[k].picture("clean")[STRIP] for k in rows])))
        with torch.inference_mode():
            kinds.append((model(strips)[3] + model(strips.flip(3))[3]) / 2)
    return torch.cat(kinds).numpy()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.train.worn", description=__doc__)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, help="checkpoint.pt of a deleter, instead of what ships")
    parser.add_argument("--quality", choices=("light", "full"), default="light")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model = Deleter(chosen.quality).eval()
    if chosen.checkpoint is None:
        load_shipped(model, "deleter", chosen.quality)
    else:
        load_weights(model, chosen.checkpoint)
    kinds = worn_kinds(Samples(chosen.shards), model)
    np.savez(chosen.shards / FILE, kind=kinds)
    print(
        f"{int((kinds[:, 0] < 0.5).sum())} of {len(kinds)} clean pictures seem to wear glasses; {chosen.shards / FILE}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
