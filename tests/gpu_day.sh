#!/usr/bin/env bash
# Everything that needs a GPU, for as long as there is one. Run it again, on the same machine or another, to continue.
#
#   [MINUTES=600] [DELTAS="0.25 0.05"] [CONFIG=configs/paper.yaml] [TASKS="pitch, family, percussion"] [STATE=folder] \
#     tests/gpu_day.sh [checks] [bench] [train]
#
# checks: the tests marked gpu. bench: speed of synthesis, front-end, encoder and the whole loop, compared with the authors' code.
# train: for each delta, one Voice encoder at the paper's scale, scored on the tasks together with the random initialisation,
# and packed into pretrained/. After MINUTES training is told to stop, and saves its state.
# STATE is for machines that do not keep their disk: what a run has made is saved there in parts of 15 MB, and restored from
# there at the start.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
MINUTES=${MINUTES:-600}
DELTAS=${DELTAS:-0.25 0.05}
CONFIG=${CONFIG:-configs/paper.yaml}
TASKS=${TASKS:-pitch, family, percussion}
STATE=${STATE:-}
steps=${*:-checks bench train}

save_state() {
  if [ -n "$STATE" ]; then
    set +o pipefail # a file that does not exist yet is no error
    mkdir -p "$STATE"
    rm -f "$STATE"/state.tar.*
    find results/encoders results/*.csv pretrained logs -maxdepth 0 2>/dev/null | tar --create --files-from - |
      split --bytes=15M --numeric-suffixes - "$STATE/state.tar."
  fi
}

if [ -n "$STATE" ] && compgen -G "$STATE/state.tar.*" >/dev/null && [ ! -d results/encoders ]; then
  cat "$STATE"/state.tar.* | tar --extract
fi
trap save_state EXIT

for step in $steps; do
  case $step in
    checks) "$PYTHON" -m pytest -m gpu -rA tests/unit ;;
    bench) "$PYTHON" -m tests.benchmarks synthesis frontend loop recordings | tee gpu_bench.txt ;;
    train)
      end=$((SECONDS + MINUTES * 60))
      for delta in $DELTAS; do
        if [ -d "pretrained/voice-$delta" ]; then continue; fi
        overlay=$(mktemp --suffix .yaml)
        printf 'encoders: {architectures: [voice], deltas: ["%s"], further: []}\ntasks: [%s]\n' "$delta" "$TASKS" >"$overlay"
        "$PYTHON" -m doppelgangers.workflow.unlock
        # All processes of the run get the signal: training saves its state, and the rest is made again next time.
        # shellcheck disable=SC2086 # CONFIG may be several files
        timeout --signal=TERM --kill-after=60 "$((end - SECONDS))" "$PYTHON" -m snakemake --cores all \
          --configfile $CONFIG "$overlay" -- results/table.csv || { echo "not finished: run it again to continue" && exit 1; }
        "$PYTHON" -m doppelgangers.evaluation.release "results/encoders/voice-$delta/seed=0" --name "voice-$delta"
        cat results/table.csv
      done
      ;;
    *) echo "unknown step: $step" && exit 2 ;;
  esac
done
