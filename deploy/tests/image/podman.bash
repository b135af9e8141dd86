# shellcheck shell=bash disable=SC2154
# Sourced by the tests that run containers. Needs $cache, a folder that is kept, and $work, one that is not.

# podman with a store of its own. `runc` and cgroupfs work where `crun` and systemd do not, as in a virtual machine
# whose first process is not systemd.
podman() {
  command podman --root "$cache/store" --runroot "$cache/run" --runtime runc --cgroup-manager cgroupfs \
    --events-backend none "$@"
}

# A container starts with higher limits than a machine may allow to set.
# shellcheck disable=SC2034
limits=(--ulimit nofile=4096:4096 --ulimit nproc=4096:4096)

fail() { printf 'failed: %s\n' "$*" >&2; exit 1; }

# One line of the table: what, checked against what, result.
result() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3"
  [ -z "${DEPLOY_RESULTS:-}" ] || printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DEPLOY_RESULTS"
}

# Progress, with the seconds since the start.
step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# Runs a command until it succeeds, for a minute at most.
within_a_minute() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "no $what within a minute"
    sleep 0.1
  done
}
