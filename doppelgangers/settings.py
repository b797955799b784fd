"""What the sections of the configuration are built from: a closed section, and the types of its keys.

The settings of a stage are in the module `settings` of its wing; `workflow.config` puts them together.
"""

import difflib
import math
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlparse

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules


class Section(BaseModel):
    """A section of the configuration; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def canonical_delta(value: Any) -> str:
    """A delta is text, because it names files: 0.10 and "0.1" are the same one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("must be a number, such as 0.25") from None
    if not math.isfinite(number) or number < 0:
        raise ValueError("must be a finite number that is 0 or larger")
    return f"{number:g}"


def check_url(value: str) -> str:
    if value and urlparse(value).scheme not in ("http", "https", "file"):
        raise ValueError("must start with http://, https:// or file://")
    return value


def check_checksum(value: str) -> str:
    if value not in ("", "none") and not re.fullmatch(r"md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}", value):
        raise ValueError('must be "md5:" with 32, "sha1:" with 40 or "sha256:" with 64 hexadecimal digits, "none", or empty')
    return value


def canonical_path(value: str) -> str:
    """A path with the user's folder for ~, and with single slashes."""
    if "{" in value or "}" in value:
        raise ValueError("must have no { or }, which Snakemake takes for a wildcard; rename it, or name a symbolic link to it")
    return re.sub("/+", "/", str(Path(value).expanduser())) if value else ""


def check_unique(values: list) -> list:
    if len(set(values)) != len(values):
        raise ValueError("names an entry twice")
    return values


def check_names(key: str, names: list[str], known: list[str]) -> None:
    """Refuse a name that is not among the known ones.

    Raises:
        ValueError: naming it, and what may have been meant.
    """
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: {name!r} is unknown; {hint(name, known, 'known are ')}")


def hint(name: str, known: list[str], otherwise: str) -> str:
    """What may have been meant by a misspelt name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise + ", ".join(known)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Delta = Annotated[str, BeforeValidator(canonical_delta)]
Url = Annotated[str, AfterValidator(check_url)]
LocalPath = Annotated[str, AfterValidator(canonical_path)]
Checksum = Annotated[str, AfterValidator(check_checksum)]
Unique = AfterValidator(check_unique)
Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
