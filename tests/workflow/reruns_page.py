"""The tables of docs/reruns.md, written from tests/workflow/contract.yaml: `make docs`. A test fails while they differ."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reruns.md"
CONTRACT = yaml.safe_load((ROOT / "tests/workflow/contract.yaml").read_text())
BEGIN = "<!-- From here on written from tests/workflow/contract.yaml by `make docs`. -->\n"


def edges() -> set[tuple[str, str]]:
    """Rules and those that read what they make, by the graphs in docs/design.md; a test compares them with Snakemake's."""
    section = re.search(r"## The rules\n(.*?)\n## ", (ROOT / "docs/design.md").read_text(), re.S)[1]
    lines = re.findall(r"^ +([\w& ]+) --> ([\w& ]+)$", section, re.M)
    return {(a, b) for sources, targets in lines for a in sources.split(" & ") for b in targets.split(" & ")}


def followers() -> dict[str, set[str]]:
    """Rule -> the rules that read what it makes."""
    drawn = edges()
    return {rule: {b for a, b in drawn if a == rule} for rule in CONTRACT["rules"]}


def made_again(rules: list[str]) -> str:
    """What is made again when jobs of these rules run, and then all that follows, in words."""
    follows, waiting, found = followers(), list(rules), set()
    while waiting:
        rule = waiting.pop()
        if rule not in found:
            found.add(rule)
            waiting += follows[rule]
    return ", ".join(dict.fromkeys(words for rule, words in CONTRACT["rules"].items() if rule in found))


def row(name: str, promised: list[str] | str, note: str = "") -> str:
    if isinstance(promised, str):
        return f"| `{name}` | | nothing: {promised} |"
    rules = ", ".join(f"`{rule}`" for rule in promised)
    return f"| `{name}` | {rules} | {made_again(promised)}{f'; {note}' if note else ''} |"


def tables() -> str:
    """The part of the page that is written from the contract."""
    return "\n".join(
        [
            "## What changing a key costs",
            "",
            "`*` stands for a name that you give. The rules are those whose jobs read something else; the last column has what",
            "is made again by them and after them, as far as it is in your study.",
            "",
            "| Key | Read by | Made again |",
            "|---|---|---|",
            *(row(key, rules, CONTRACT["notes"].get(key, "")) for key, rules in CONTRACT["config"].items()),
            "",
            "## What changing a module costs",
            "",
            "The rules are those that use something of the module. Code counts by function: an edit concerns those that use",
            "the function that is edited. Jobs of a dataset use the reader of that dataset only.",
            "",
            "| Module | Used by | Made again |",
            "|---|---|---|",
            *(row(module, rules) for module, rules in CONTRACT["modules"].items()),
            "",
        ]
    )


def render() -> str:
    """docs/reruns.md: what is written by hand, and the tables."""
    by_hand, begin, _ = PAGE.read_text().partition(BEGIN)
    assert begin, f"{PAGE} has no line {BEGIN!r}"
    return f"{by_hand}{BEGIN}\n{tables()}"


if __name__ == "__main__":
    PAGE.write_text(render())
    print(f"wrote {PAGE.relative_to(ROOT)}")
