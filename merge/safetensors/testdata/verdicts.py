"""Prints for each file of a folder whether the reference library accepts or refuses it."""

import pathlib
import sys

from safetensors import SafetensorError, deserialize

for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        deserialize(path.read_bytes())
        print("accepted", path.name)
    except (SafetensorError, OverflowError):
        print("refused", path.name)
