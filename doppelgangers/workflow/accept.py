"""Keep the results that are here after a change of code that cannot change them: `make accept`.

    python -m doppelgangers.workflow.accept [FUNCTION ...]

The code may have changed since the results were made. This command declares that they would be the same: it notes in
logs/accepted.json that the code as it is now counts as the code that made them, for all functions that rules call, or for
those that are named (such as `pretraining.pretrain.pretrain`). It does not accept changes of the configuration.
Delete logs/accepted.json to undo it.
"""

import sys
from pathlib import Path

from doppelgangers.errors import UserError
from doppelgangers.files import read_json, write_json
from doppelgangers.provenance import records_in
from doppelgangers.workflow.digest import ACCEPTED, accepted, digest


def accept(folders: list[Path], names: list[str]) -> dict[str, str]:
    """Note that the code as it is counts as the code that made the results.

    Args:
        folders: with results, and beside these the records of what made them.
        names: functions that rules call; empty for all.

    Returns:
        what was accepted now: code -> the code that made the results.

    Raises:
        UserError: when no result was made by one of the functions.
    """
    made_by = {}  # functions -> code of the last job that ran them
    records = [read_json(path) for folder in folders for path in records_in(folder)]
    for record in sorted(records, key=lambda record: record["started"]):
        made_by[tuple(record["code"].split()[:-1])] = record["code"]
    called = {function for functions in made_by for function in functions}
    if unknown := [name for name in names if name not in called]:
        raise UserError(
            f"no result here was made by {unknown[0]}; those that are here were made by {', '.join(sorted(called))}"
        )
    changed = {}
    for functions, code in made_by.items():
        now = " ".join([*functions, digest(*functions)])
        if now != code and (not names or set(names) & set(functions)):
            changed[now] = code
    changed = {now: code for now, code in changed.items() if accepted().get(now) != code}
    if changed:
        write_json(ACCEPTED, {**accepted(), **changed})
    return changed


if __name__ == "__main__":
    try:
        found = accept([Path("results"), Path("resources")], sys.argv[1:])
    except UserError as error:
        sys.exit(f"ERROR: {error}")
    for now, code in found.items():
        *functions, digits = code.split()
        print(f"{' '.join(functions)}: results of {digits} are kept with {now.split()[-1]}")
    print(f"accepted {len(found)} changes" if found else "nothing has changed since the results were made")
