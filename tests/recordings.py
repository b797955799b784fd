"""The real recordings of ESC-10, packed as ESC-50 is published, so that ESC-50's own loader and folds can be tested on them.

    python -m tests.recordings FOLDER OUT.zip

FOLDER is the data set ESC-10 as published: ten folders, `001 - Dog bark` and so on, of files <fold>-<clip>-<take>.ogg.
"""

import csv
import io
import re
import sys
import zipfile
from pathlib import Path

import soundfile

from tests.miniatures import COMMIT

# Number of ESC-10's folder -> ESC-50's target and category.
CLASSES = {
    "001": (0, "dog"),
    "002": (10, "rain"),
    "003": (11, "sea_waves"),
    "004": (20, "crying_baby"),
    "005": (38, "clock_tick"),
    "006": (21, "sneezing"),
    "007": (40, "helicopter"),
    "008": (41, "chainsaw"),
    "009": (1, "rooster"),
    "010": (12, "crackling_fire"),
}
COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def pack(folder: Path, archive: Path) -> Path:
    """Write the archive and return its path.

    Raises:
        ValueError: when the folder does not hold ESC-10: 40 recordings of each class, named as they are published.
    """
    rows = []
    with zipfile.ZipFile(archive, "w") as out:
        for number, (target, category) in CLASSES.items():
            recordings = sorted(folder.glob(f"{number} - */*.ogg"))
            if len(recordings) != 40:
                raise ValueError(f"{folder}: {len(recordings)} recordings in the folder {number} of ESC-10; it has 40")
            for path in recordings:
                name = re.fullmatch(r"([1-5])-(\d+)-([A-Z])", path.stem)
                if name is None:
                    raise ValueError(f"{path} is not named <fold>-<clip>-<take>.ogg")
                samples, rate_hz = soundfile.read(path, dtype="int16")
                wav = io.BytesIO()
                soundfile.write(wav, samples, rate_hz, format="WAV", subtype="PCM_16")
                filename = f"{path.stem}-{target}.wav"
                out.writestr(f"ESC-50-{COMMIT}/audio/{filename}", wav.getvalue())
                fold, clip, take = name.groups()
                rows.append((filename, fold, target, category, True, clip, take))
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
        out.writestr(f"ESC-50-{COMMIT}/meta/esc50.csv", table.getvalue())
    return archive


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
