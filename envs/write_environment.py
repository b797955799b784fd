"""Write envs/doppelgangers.yaml, for `snakemake --sdm conda`: the direct dependencies with the pins of requirements.lock."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEAD = """# Written from requirements.lock by `make lock`. Used only with `snakemake --sdm conda`; make builds .venv instead.
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  # pip builds pyaudio, which tinysoundfont names for live playback, unless it is there
  - pyaudio
  - pip:
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def render() -> str:
    """The environment file."""
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = sorted(normal(re.match(r"[\w.-]+", dependency)[0]) for dependency in project["dependencies"])
    return HEAD + "".join(f"      - {name}=={pins[name]}\n" for name in names)


if __name__ == "__main__":
    (ROOT / "envs/doppelgangers.yaml").write_text(render())
