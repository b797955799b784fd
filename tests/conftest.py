"""What several tests need."""

import http.server
import io
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent
# A script, not part of this repository, that writes the real recordings of ESC-10 in ESC-50's layout: SCRIPT OUT.zip
ESC10_SCRIPT = os.environ.get("ESC10_SCRIPT", "")
COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"


def esc50_files(clips_per_fold=2):
    """A miniature of ESC-50's archive: five folds, two classes, short sounds; member name -> content."""
    rng = np.random.default_rng(0)
    rows, files = ["filename,fold,target,category,esc10,src_file,take"], {}
    for fold in range(1, 6):
        for number in range(clips_per_fold):
            for target, category in ((0, "dog"), (1, "rooster")):
                name = f"{fold}-{100 + number}-A-{target}.wav"
                tone = 0.3 * np.sin(2 * np.pi * (300 + 900 * target) * np.arange(22050) / 44100)
                sound = io.BytesIO()
                soundfile.write(sound, tone + 0.01 * rng.standard_normal(22050), 44100, format="WAV", subtype="PCM_16")
                files[f"ESC-50-{COMMIT}/audio/{name}"] = sound.getvalue()
                rows.append(f"{name},{fold},{target},{category},True,{100 + number},A")
    files[f"ESC-50-{COMMIT}/meta/esc50.csv"] = ("\n".join(rows) + "\n").encode()
    return files


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def esc50_zip(tmp_path):
    return write_zip(tmp_path / "esc50.zip", esc50_files())


@pytest.fixture
def serve(tmp_path):
    """Serve a folder on 127.0.0.1; a request for /flaky/... fails once with 503 first. Yields (address, requests seen)."""
    seen = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path))

        def do_GET(self):
            seen.append(self.path)
            if self.path.startswith("/flaky/"):
                if len(seen) == 1:
                    self.send_error(503)
                    return
                self.path = self.path.removeprefix("/flaky")
            super().do_GET()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()
