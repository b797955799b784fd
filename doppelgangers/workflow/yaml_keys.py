"""Keys that stand twice in a YAML file; YAML's readers take the last one and say nothing."""

from pathlib import Path

import yaml

from doppelgangers.errors import UserError


def check_keys(path: Path) -> None:
    """Look whether a YAML file has each key of a section once.

    Raises:
        UserError: naming the file, the key and both lines.
    """
    root = yaml.compose(Path(path).read_text(encoding="utf-8"), yaml.SafeLoader)
    waiting: list[tuple[str, yaml.Node | None]] = [("", root)]
    while waiting:
        section, node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += [(section, item) for item in node.value]
        if not isinstance(node, yaml.MappingNode):
            continue
        lines: dict[str, int] = {}
        for key, value in node.value:
            name = f"{section}{key.value}"
            line = key.start_mark.line + 1
            if name in lines:
                raise UserError(f"{path}: {name} stands in line {lines[name]} and again in line {line}; make them one")
            lines[name] = line
            waiting.append((f"{name}.", value))
