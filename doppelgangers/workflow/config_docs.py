"""What is written from the schema and the catalogue: pages of docs/, and a JSON schema for editors.

Run `make docs` after a change of the schema; a test fails while they differ.
"""

import functools
import json
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel

from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.workflow.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent


WORDS = {"boolean": "true | false", "string": "text", "object": "mapping"}


def bounds(schema: dict) -> str:
    """What a JSON schema allows, in words."""
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    limits = ", ".join(f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema)
    if "anyOf" in schema:
        return " | ".join(map(bounds, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {bounds(schema['items'])}"
    return " ".join(filter(None, [WORDS.get(schema["type"], schema["type"]), limits]))


def walk(model: type[BaseModel], values: BaseModel, prefix: str = ""):
    """Yield (dotted key, section class or None, field, value) in order."""
    for name, field in model.model_fields.items():
        value, key = getattr(values, name), f"{prefix}{name}"
        if isinstance(value, BaseModel):
            yield key, type(value), field, value
            yield from walk(type(value), value, f"{key}.")
        else:
            yield key, None, field, value


@functools.cache
def json_schema() -> dict:
    """The schema of the whole configuration, which is the same for every key that is looked up in it."""
    return Config.model_json_schema()


def property_of(key: str) -> dict:
    """JSON schema of one key."""
    node = schema = json_schema()
    for part in key.split("."):
        node = node["properties"][part]
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    return node


def inline(value: Any) -> str:
    """A value on one YAML line."""
    if isinstance(value, float):
        return yaml.safe_dump(value).splitlines()[0]
    return json.dumps(value, default=lambda section: section.model_dump())


HEAD = ["", "| Key | Default | Allowed | Meaning |", "|---|---|---|---|"]


def render_docs() -> str:
    """docs/config.md: every key with its default, the values that it allows and what it means."""
    lines = [
        "# Configuration",
        "",
        "Written from the settings (`doppelgangers/*/settings.py`) by `make docs`. `config.yaml` holds every key;",
        "`snakemake --configfile FILE` merges FILE over it (a list replaces the list).",
    ]
    for key, section, field, value in walk(Config, Config()):
        if section and key.count(".") == 0:
            lines += ["", f"## {key}", "", section.__doc__, *HEAD]
        elif not section:
            if "." not in key:
                lines += ["", f"## {key}", *HEAD]
            lines.append(table_row(key, inline(value), property_of(key), field.description))
            entry = get_args(field.annotation)[1] if get_origin(field.annotation) is dict else None
            if isinstance(entry, type) and issubclass(entry, BaseModel):
                lines += entry_rows(f"{key}.<name>", entry)
    return "\n".join(lines) + "\n"


def entry_rows(key: str, model: type[BaseModel]) -> list[str]:
    """Rows for the keys of an entry of a mapping that the user fills."""
    properties = model.model_json_schema()["properties"]
    defaults = {name: "" if field.is_required() else inline(field.default) for name, field in model.model_fields.items()}
    return [
        table_row(f"{key}.{name}", defaults[name], properties[name], field.description or "")
        for name, field in model.model_fields.items()
    ]


def table_row(key: str, default: str, schema: dict, meaning: str) -> str:
    allowed = bounds(schema).replace("|", "\\|")
    return f"| `{key}` | {f'`{default}`' if default else 'required'} | {allowed} | {meaning} |"


def render_datasets() -> str:
    """docs/datasets.md: the catalogue."""
    lines = [
        "# Datasets and tasks",
        "",
        "Written from the catalogue (`doppelgangers/datasets/catalogue.py`) by `make docs`. How they are fetched, and what to",
        "do without a network: [downloads.md](downloads.md). How to add one: [adding.md](adding.md).",
        "",
        "| Task | Dataset | Label | Clips | Clip, s | Folds | Validation | Metrics | Probe |",
        "|---|---|---|---:|---:|---|---|---|---|",
    ]
    for name, task in TASKS.items():
        row = DATASETS[task.dataset]
        cells = (name, task.dataset, task.label, f"{row.clips:,}" if row.clips else "", f"{row.clip_s:g}", task.fold)
        lines.append(f"| {' | '.join([*cells, task.validation, ', '.join(task.metrics), task.probe])} |")
    lines += ["", "| Dataset | To fetch | Licence | Facts from |", "|---|---|---|---|"]
    for name, row in DATASETS.items():
        files = ", ".join(f"[{archive.file}]({archive.url})" for archive in row.archives) or "ships with a package"
        size = sum(archive.bytes for archive in row.archives)
        licence = f"{row.licence}{' (to be accepted)' if row.noncommercial else ''}"
        lines.append(f"| {name} | {files}{f'; {size / 1e9:.2f} GB' if size else ''} | {licence} | {row.reference} |")
    return "\n".join(lines) + "\n"


def render_schema() -> str:
    """JSON schema, which editors use to complete and check config.yaml and overlays."""
    return json.dumps(json_schema(), indent=2) + "\n"


def products() -> dict[Path, str]:
    """The generated files and what they should contain."""
    return {
        ROOT / "docs/config.md": render_docs(),
        ROOT / "docs/datasets.md": render_datasets(),
        ROOT / "configs/schema.json": render_schema(),
    }


if __name__ == "__main__":
    for path, text in products().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
