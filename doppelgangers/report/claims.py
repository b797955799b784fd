"""The paper's claims, configs/claims.yaml: one typed, closed schema, read while the workflow is parsed."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from doppelgangers.errors import UserError
from doppelgangers.settings import Count, CountOrZero, Fraction, Name, NotNegative, Positive, Section, check_names

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rule


class Selector(Section):
    """Rows of scores.csv: those with one of the values, in each column that is named."""

    encoder: list[str] = Field([])
    source: list[str] = Field([])
    architecture: list[str] = Field([])
    augmentation: list[str] = Field([])
    delta: list[NotNegative] = Field([])


class ByScores(Section):
    """The best encoder of one selection less the best of another, on each task: above 0, or within so many points of 0."""

    by: Literal["scores"]
    better: Selector
    than: Selector
    within: Annotated[float, Field(ge=0)] = 0
    at_least: Count


class BySounds(Section):
    """Cliff's deltas of synthetic sets against the sounds of the paper's tasks; those of features may have either sign."""

    by: Literal["uncertainty", "features"]
    sounds: Annotated[list[str], Field(min_length=1)]
    beyond: Fraction
    at_least: Fraction
    said_with: str = ""


class ByDistances(Section):
    """Distances of synthetic sets to the sounds of the paper's tasks, against those of recordings."""

    by: Literal["distances"]
    sounds: Annotated[list[str], Field(min_length=1)]
    than: Annotated[list[str], Field(min_length=1)]
    at_least: Count
    said_with: str = ""


class BySimilarity(Section):
    """Similarity of both views from one delta to the next."""

    by: Literal["similarity"]
    architecture: str
    deltas: Annotated[list[str], Field(min_length=2)]
    said_with: str = ""


class ByWaiting(Section):
    """Share of its time that a training on a stream of pairs waits for them."""

    by: Literal["waiting"]
    at_most: Positive


class Scale(Section):
    """How much there has to be: pairs seen by the encoders, their width, sounds of a set."""

    pairs: CountOrZero = 0
    width: NotNegative = 0
    sounds: CountOrZero = 0


class Claim(Section):
    """A claim. What is below `needs` is not tested; from `enough` on, an interval on both sides counts against it."""

    id: Name
    text: str
    source: str
    needs: Scale = Scale()
    enough: Scale = Scale()
    test: Annotated[ByScores | BySounds | ByDistances | BySimilarity | ByWaiting, Field(discriminator="by")]


class PublishedRow(Section):
    """A row of the paper's table, and the rows of ours that it is held against."""

    text: str
    select: Selector
    scores: dict[Name, Annotated[float, Field(ge=0, le=100)]]


class Published(Section):
    """What the paper's table has."""

    note: str
    scale: str
    rows: dict[Name, PublishedRow]


class Claims(Section):
    """All of it; `tasks` are the paper's."""

    tasks: Annotated[list[Name], Field(min_length=1)]
    claims: list[Claim]
    published: Published

    @model_validator(mode="after")
    def check_claims(self):
        """What no single claim can tell."""
        names = [claim.id for claim in self.claims]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"claims: {twice[0]!r} is the id of two claims; rename one")
        for claim in self.claims:
            if isinstance(claim.test, ByScores | ByDistances) and claim.test.at_least > len(self.tasks):
                raise ValueError(f"claims.{claim.id}: at_least is {claim.test.at_least}, of {len(self.tasks)} tasks")
        for name, row in self.published.rows.items():
            check_names(f"published.rows.{name}.scores", list(row.scores), self.tasks)
        return self


def load_claims(path: Path) -> dict[str, Any]:
    """The claims of a file, checked, as plain builtins.

    Raises:
        UserError: with one line for each fault: the file, the place, the value, and what is allowed.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return Claims.model_validate(content).model_dump(mode="json")
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; the paper's claims have to be there") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from error
    except ValidationError as error:
        faults = "\n".join(f"  {place(fault, content)} = {fault['input']!r}: {fault['msg']}" for fault in error.errors())
        raise UserError(f"{path} is not valid:\n{faults}\nIts keys are explained in docs/analysis.md.") from None


def place(fault: Any, content: Any) -> str:
    """Where a fault is, claims by their ids."""
    parts = [str(part) for part in fault["loc"]]
    if len(parts) > 1 and parts[0] == "claims" and isinstance(entry := content["claims"][int(parts[1])], dict):
        parts[1] = str(entry.get("id", parts[1]))
    return ".".join(parts) or "the file"
