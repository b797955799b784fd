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


def render() -> str:
    """The environment file."""
    pins = re.findall(r"^([\w.-]+==[^\\\n]+?) *\\?$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return HEAD + "".join(f"      - {pin}\n" for pin in pins)


if __name__ == "__main__":
    (ROOT / "envs/doppelgangers.yaml").write_text(render())
