#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets that are built in GPUEVAL_BUILD (build-fuzz), GPUEVAL_FUZZ_SECONDS each (10), two at a time.
# Arguments: only these targets. Stops with the log and the input of the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GPUEVAL_FUZZ_SECONDS:=10}" "${GPUEVAL_BUILD:=build-fuzz}"
scratch=$(mktemp -d)

fuzz() {  # target, its seeds...
  local target=$1 folder=$scratch/$1 options=()
  shift
  mkdir -p "$folder/seeds" "$folder/found"
  cp "$@" "$folder/seeds"
  case $target in fuzz_keras | fuzz_table | fuzz_compare | fuzz_tuning_cache) options=(-dict=tests/fuzz/json.dict) ;; esac
  if "$GPUEVAL_BUILD/$target" -max_total_time="$GPUEVAL_FUZZ_SECONDS" -rss_limit_mb=2048 -timeout=20 \
      -artifact_prefix="$folder/" "${options[@]}" "$folder/found" "$folder/seeds" >"$folder/log" 2>&1; then
    echo "$target: $(tail -1 "$folder/log")"
  else
    tail -50 "$folder/log"
    echo "$target failed; the input is in $folder"
    return 1
  fi
}

golden=tests/golden
declare -A seeds=(
  [fuzz_pickle]="$golden/data/*.pkl" [fuzz_jpeg]="$golden/data/*.jpg" [fuzz_png]="$golden/data/*.png" [fuzz_npy]="$golden/data/*.npy"
  [fuzz_hdf5]="$golden/hdf5/*" [fuzz_annotations]="$golden/fuzz/annotations/*"
  [fuzz_zip]="$golden/fuzz/zip/* $golden/hdf5/keras3.keras" [fuzz_table]="$golden/fuzz/table/*"
  [fuzz_keras]="$golden/fuzz/keras/*" [fuzz_journal]="$golden/fuzz/journal/*" [fuzz_compare]="$golden/fuzz/compare/*"
  [fuzz_tuning_cache]="$golden/fuzz/tuning_cache/*"
)
targets=("$@")
[ $# -gt 0 ] || targets=("${!seeds[@]}")
running=()
for target in "${targets[@]}"; do
  # shellcheck disable=SC2086  # the patterns are meant to expand
  fuzz "$target" ${seeds[$target]} &
  running+=($!)
  if [ ${#running[@]} -eq 2 ]; then
    wait "${running[0]}"
    running=("${running[1]}")
  fi
done
for job in "${running[@]}"; do wait "$job"; done
rm -rf "$scratch"
