# shellcheck shell=bash disable=SC2154
# Sourced: podman with its own store, and stand-ins for published images. Expects `root`, the repository, `cache`, a
# permanent folder, and packages.bash.

# configure_podman FOLDER STORE: podman and podman-compose also find the images of the store. They keep their own images
# in `cache` and everything else in the folder. netavark assigns addresses and names. runc and cgroupfs work without
# systemd.
configure_podman() {
  local work=$1 images=$2
  mkdir -p "$cache/helpers" "$images"
  ln -sf "$cache"/debian/*/usr/lib/podman/* "$cache/helpers/"
  # Limits that root may set without CAP_SYS_RESOURCE.
  cat >"$work/containers.conf" <<CONFIGURATION
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
helper_binaries_dir = ["$cache/helpers"]
lock_type = "file"
runtime = "runc"
static_dir = "$work/static"
tmp_dir = "$work/libpod"
volume_path = "$work/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
CONFIGURATION
  cat >"$work/storage.conf" <<CONFIGURATION
[storage]
driver = "overlay"
graphroot = "$cache/store"
runroot = "$work/run"
[storage.options]
additionalimagestores = ["$images"]
CONFIGURATION
  export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
}

# stand_in IMAGE PROGRAM USER FOLDER: an image with the program, the C library that it needs and busybox, which the
# published image has as well. The folder belongs to the user.
stand_in() {
  local image=$1 program=$2 user=$3 folder=$4 tree library
  tree=$(mktemp -d)
  install -D "$program" "$tree/bin/program"
  install -D "$cache/debian/busybox/bin/busybox" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/wget"
  while read -r library; do
    install -D "$library" "$tree$library"
  done < <(ldd "$tree/bin/program" "$tree/bin/busybox" | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (.*/\1/p' | sort -u)
  mkdir -p "$tree$folder" "$tree/tmp" "$tree/etc/prometheus"
  # Only the owner may enter a folder of mktemp.
  chmod 755 "$tree"
  chown "$user" "$tree$folder"
  tar -C "$tree" -c . | podman import -q --change "USER $user" --change 'ENTRYPOINT ["/bin/program"]' \
    --change 'ENV PATH=/bin' - "$image" >/dev/null
  rm -rf "$tree"
}

make_stand_ins() {
  local logs=docker.io/victoriametrics/victoria-logs:v$VICTORIALOGS_VERSION
  local metrics=docker.io/prom/prometheus:v$PROMETHEUS_VERSION
  local store=$root/target/deploy/shipping/bin/victoria-logs-$VICTORIALOGS_VERSION
  if ! podman image exists "$logs"; then
    if [ ! -x "$store" ]; then
      mkdir -p "${store%/*}"
      GOBIN=$cache go install -ldflags '-s -w' \
        "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v$VICTORIALOGS_VERSION"
      mv "$cache/victoria-logs" "$store"
    fi
    stand_in "$logs" "$store" 0:0 /victoria-logs-data
  fi
  podman image exists "$metrics" || stand_in "$metrics" "$(command -v prometheus)" 65534:65534 /prometheus
}
