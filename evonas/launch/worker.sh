#!/bin/bash
# On every machine of a TPU slice, at every boot: installs evonas, and runs it until the run has ended.

set -o pipefail
export PATH="$PATH:/snap/bin" HOME="${HOME:-/root}" CLOUDSDK_CORE_DISABLE_PROMPTS=1 PYTHONUNBUFFERED=1
# The first process writes what it compiles, and all read it: on this slice, and on the next one.
export JAX_COMPILATION_CACHE_DIR=$CACHE
ATTRIBUTES=http://metadata.google.internal/computeMetadata/v1/instance/attributes
mkdir -p "$PLACE" && cd "$PLACE" || exit 1

until WORKER=$(curl -sSf -H "Metadata-Flavor: Google" "$ATTRIBUTES/agent-worker-number"); do
  sleep "$PAUSE"
done
LOG=$(date -u +%Y%m%dT%H%M%SZ)-worker-$WORKER.log
exec >>"$LOG" 2>&1

say() {
  printf 'launch: %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"
}

publish() {
  gcloud storage cp --quiet "$LOG" "$BUCKET/logs/$LOG" 2>storage.log
}

install() {
  gcloud storage cp "${FILES[@]}" . &&
    python3 -m pip install --quiet --upgrade --target tools uv &&
    tools/bin/uv venv --quiet --clear --python "$PYTHON" venv &&
    tools/bin/uv pip install --quiet --python venv "${REQUIREMENTS[@]}" &&
    touch installed
}

ended() {
  gcloud storage cat "$BUCKET/ended.json" 2>storage.log | grep -q exit_code
}

# The run is over, for all workers.
end() {
  say "ended for good with exit code $1"
  printf '{"exit_code": %d, "worker": %d, "time": "%s"}\n' "$1" "$WORKER" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >ended.json
  publish
  until gcloud storage cp ended.json "$BUCKET/ended.json"; do
    sleep "$PAUSE"
  done
}

# The machine shuts down: evonas has to know, and what it says last is worth keeping.
stop() {
  say "asked to stop"
  kill -TERM "$evonas" 2>/dev/null && wait "$evonas"
  publish
  exit 0
}

while sleep "$PUBLISHING"; do publish; done &
publishing=$!
trap 'kill "$publishing" 2>/dev/null' EXIT
trap stop TERM

failures=0
until [[ -e installed ]] || install; do
  say "could not be installed"
  ((++failures < INSTALLATIONS)) || { end 2 && break; }
  publish
  sleep "$PAUSE"
done

failures=0 quick=0
until ended; do
  left=$((DEADLINE - $(date +%s)))
  ((left > 0)) || break
  say "evonas ${RUN[*]}"
  begun=$SECONDS
  timeout "$left" venv/bin/evonas "${RUN[@]}" &
  evonas=$!
  wait "$evonas"
  code=$?
  say "evonas ended with exit code $code"
  publish
  # What ends at once again and again would do so until the hours are over.
  if ((code == 0 || SECONDS - begun >= SETTLED)); then quick=0; else ((++quick)); fi
  ((quick > QUICK_ENDS)) && end "$code" && break
  case $code in
    0) ((WORKER == 0)) && end 0 && break ;;   # the others wait for the first's word
    2 | 130) end "$code" && break ;;          # a mistake, or Ctrl-C: no other try would help
    75 | 124) ;;                              # may be run again; stopped by timeout
    *) ((code > 128 || ++failures <= RESTARTS)) || { end "$code" && break; } ;;
  esac
  sleep "$PAUSE"
done
publish

# The keeper deletes the slice. Should it be gone, nobody pays for idle chips.
if ((WORKER == 0)); then
  sleep "$GRACE" &
  wait "$!"
  until "${DELETE[@]}"; do sleep "$PAUSE"; done
fi
