# shellcheck shell=bash disable=SC2154
# Sourced by the tests that run containers. Expects $cache, a permanent folder, and $work, a temporary one.

# podman with its own store. `runc` and cgroupfs also work where `crun` and systemd do not, such as in a virtual machine
# whose first process is not systemd.
podman() {
  command podman --root "$cache/store" --runroot "$cache/run" --runtime runc --cgroup-manager cgroupfs \
    --events-backend none "$@"
}

# The default limits of containers can be higher than this machine allows.
# shellcheck disable=SC2034
limits=(--ulimit nofile=4096:4096 --ulimit nproc=4096:4096)

fail() { printf 'failed: %s\n' "$*" >&2; exit 1; }

# result CHECK AGAINST RESULT: one line of the table.
result() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3"
  [ -z "${DEPLOY_RESULTS:-}" ] || printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$DEPLOY_RESULTS"
}

# Prints progress, with the seconds since the start.
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
