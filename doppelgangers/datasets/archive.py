"""A downloaded archive and an unpacked folder, read in the same way."""

import zipfile
from pathlib import Path

from doppelgangers.errors import UserError


def open_archive(source: Path, marker: str) -> Path | zipfile.Path:
    """The folder that holds `marker`, inside a zip archive (which is not unpacked) or a folder.

    Args:
        source: zip file, or folder.
        marker: path of a file that the dataset must have, relative to its root; the root itself may be named anything.

    Raises:
        UserError: when the source is neither, is damaged, or has no such file.
    """
    if source.is_dir():
        root = source
    elif zipfile.is_zipfile(source):
        root = zipfile.Path(source)
    else:
        raise UserError(f"{source} is neither a folder nor a whole zip archive; delete it and run again to fetch it anew")
    for folder in (root, *sorted((child for child in root.iterdir() if child.is_dir()), key=lambda child: child.name)):
        if (folder / marker).is_file():
            return folder
    raise UserError(f"{source} does not hold {marker}, at its top or one folder down: it is not this dataset, or not all of it")
