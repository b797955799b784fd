"""Write envs/doppelgangers.yaml, for `snakemake --sdm conda`: every pin of requirements.lock."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEAD = """# Written from requirements.lock by `make lock`. Used only with `snakemake --sdm conda`; make builds .venv instead.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  # pip builds pyaudio, which tinysoundfont names for live playback, unless it is there
  - pyaudio
  - pip:
"""


AFTER = """#!/bin/sh
# Written from requirements.lock by `make lock`; Snakemake runs it in the new environment. Of aisfx only the weights are used;
# what its code asks for does not go with the rest.
pip install --no-deps {pin}
"""
WITHOUT_DEPENDENCIES = "aisfx=="


def render() -> dict[Path, str]:
    """The environment file, and the script that completes the environment."""
    pins = re.findall(r"^([\w.-]+==[^\\\n]+?) *\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (alone,) = [pin for pin in pins if pin.startswith(WITHOUT_DEPENDENCIES)]
    return {
        ROOT / "envs/doppelgangers.yaml": HEAD + "".join(f"      - {pin}\n" for pin in pins if pin != alone),
        ROOT / "envs/doppelgangers.post-deploy.sh": AFTER.format(pin=alone),
    }


if __name__ == "__main__":
    for path, text in render().items():
        path.write_text(text)
