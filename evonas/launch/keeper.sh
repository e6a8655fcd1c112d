#!/bin/bash
# Keeps a TPU slice until the run on it has ended: queues for it, and again whenever it was preempted; then deletes it.
# It remembers nothing, but looks what is there: so it may itself be stopped and started at any moment.

set -o pipefail
export PATH="$PATH:/snap/bin" CLOUDSDK_CORE_DISABLE_PROMPTS=1
mkdir -p "$PLACE" && cd "$PLACE" || exit 1

pause=$INTERVAL refused=0 seen=""

say() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" | tee -a keeper.log
  gcloud storage cp keeper.log "$BUCKET/keeper.log" 2>storage.log
}

slower() {
  pause=$((pause * 2 > LONGEST ? LONGEST : pause * 2))
}

# Runs a command; after failures in a row the pause before the next look is ever longer.
try() {
  if "$@" 2>error.log; then
    pause=$INTERVAL
    return 0
  fi
  slower
  say "failed: ${*:1:6}: $(tail -n 3 error.log | tr '\n' ' ')"
  return 1
}

# What a description says, NONE where there is no such thing; fails where that can't be told.
described() {
  "$@" 2>unknown.log || { grep -q NOT_FOUND unknown.log && echo NONE; }
}

# The state of the queued resource, but of its node where that is gone while the queue does not know it yet.
state() {
  local queue node
  queue=$(described "${DESCRIBE[@]}") || return
  if [[ $queue == ACTIVE ]]; then
    node=$(described "${DESCRIBE_NODE[@]}") || return
    case $node in
      PREEMPTED | TERMINATED | STOPPED | NONE) queue=PREEMPTED ;;
    esac
  fi
  echo "$queue"
}

create() {
  gcloud storage cp "$BUCKET/worker.sh" worker.sh && "${CREATE[@]}"
}

ended() {
  gcloud storage cat "$BUCKET/ended.json" 2>storage.log | grep exit_code
}

# One look at the slice, and what follows from it. Fails when there is nothing left to try.
look() {
  local now
  now=$(state) || now="UNKNOWN: $(tail -n 1 unknown.log)"
  if [[ $now != "$seen" ]]; then
    say "slice: $now"
    seen=$now
  fi
  case $now in
    NONE)
      if try create; then
        refused=0
      elif ((++refused >= REFUSALS)); then
        return 1
      fi
      ;;
    SUSPENDED | FAILED | PREEMPTED) try "${DELETE[@]}" ;;
    UNKNOWN*) slower ;;
    *) pause=$INTERVAL ;;
  esac
  return 0
}

say "keeping the slice for $(((DEADLINE - $(date +%s)) / 60)) minutes at most"
while true; do
  if how=$(ended); then
    say "the run has ended: $how"
    break
  fi
  if (($(date +%s) >= DEADLINE)); then
    say "the hours of this launch are over: launch again to go on"
    break
  fi
  if ! look; then
    say "gave up: the slice was refused $refused times in a row"
    break
  fi
  sleep "$pause"
done

until [[ $(state) == NONE ]]; do
  try "${DELETE[@]}"
  sleep "$pause"
done
say "the slice is deleted"
if ((${#DELETE_KEEPER[@]})) && ! try "${DELETE_KEEPER[@]}"; then
  say "this machine could not delete itself: it shuts down, and its disk remains"
  poweroff
fi
