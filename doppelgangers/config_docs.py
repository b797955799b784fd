"""What is written from the configuration's schema: config.yaml's comments, docs/config.md, and a JSON schema for editors.

Run `make docs` after a change of the schema; a test fails while they differ.
"""

import functools
import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from doppelgangers.config import Config, Source, load
from doppelgangers.datasets.catalogue import DATASETS

ROOT = Path(__file__).resolve().parent.parent


def bounds(schema: dict) -> str:
    """What a JSON schema allows, in words."""
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    limits = ", ".join(f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema)
    if schema.get("type") == "array":
        return f"list of {bounds(schema['items'])}"
    return " ".join(filter(None, [{"boolean": "true | false", "string": "text"}.get(schema["type"], schema["type"]), limits]))


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


def render_yaml(config: Config) -> str:
    """config.yaml with the given values; the comments come from the schema."""
    lines = [
        "# yaml-language-server: $schema=configs/schema.json",
        "# The embedded default: offline, real recorded sounds, minutes on two cores. Change a value and run again: only what",
        "# it touches is made anew. Overlays in configs/ are merged over this file with --configfile.",
    ]
    for key, section, field, value in walk(Config, config):
        *parents, name = key.split(".")
        indent = "  " * len(parents)
        lines += [""] * (not parents)
        if section:
            lines += [] if section is Source else [f"{indent}# {section.__doc__}"]
            lines.append(f"{indent}{name}:")
        elif key.startswith("datasets."):
            comment = f"  # {field.description}" if parents[1] == next(iter(DATASETS)) else ""
            lines.append(f"{indent}{name}: {inline(value)}{comment}")
        else:
            lines += [f"{indent}# {field.description} [{bounds(property_of(key))}]", f"{indent}{name}: {inline(value)}"]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    """A value on one YAML line."""
    return json.dumps(value) if not isinstance(value, float) else yaml.safe_dump(value).splitlines()[0]


def render_docs() -> str:
    """docs/config.md: every key with its default, what it allows and what it means."""
    lines = [
        "# Configuration",
        "",
        "Written from the schema (`doppelgangers/config.py`) by `make docs`. `config.yaml` holds every key;",
        "`snakemake --configfile FILE` merges FILE over it (a list replaces the list).",
    ]
    for key, section, field, value in walk(Config, Config()):
        if section and key.count(".") == 0:
            lines += ["", f"## {key}", "", section.__doc__, "", "| Key | Default | Allowed | Meaning |", "|---|---|---|---|"]
        elif not section:
            if "." not in key:
                lines += ["", f"## {key}", "", "| Key | Default | Allowed | Meaning |", "|---|---|---|---|"]
            allowed = bounds(property_of(key)).replace("|", "\\|")
            lines.append(f"| `{key}` | `{inline(value)}` | {allowed} | {field.description} |")
    return "\n".join(lines) + "\n"


def render_schema() -> str:
    """JSON schema, which editors use to complete and check config.yaml and overlays."""
    return json.dumps(json_schema(), indent=2) + "\n"


def products() -> dict[Path, str]:
    """The generated files and what they should contain; config.yaml keeps the values it has."""
    raw = ROOT / "config.yaml"
    config = load(yaml.safe_load(raw.read_text()) or {}) if raw.exists() else Config()
    return {
        raw: render_yaml(config),
        ROOT / "docs/config.md": render_docs(),
        ROOT / "configs/schema.json": render_schema(),
    }


if __name__ == "__main__":
    for path, text in products().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
