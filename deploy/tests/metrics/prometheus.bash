# shellcheck shell=bash disable=SC2154
# Sourced: puts Debian's prometheus and promtool on the PATH, unpacked and not installed, so that nothing starts by
# itself. They are kept in target/deploy/metrics. Expects `root`, the repository.
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
  debian_prometheus=$root/target/deploy/metrics/debian
  if [ ! -x "$debian_prometheus/usr/bin/promtool" ]; then
    download=$(mktemp -d)
    (
      cd "$download" || exit
      apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }
      dpkg -x prometheus_*.deb unpacked
      mkdir -p "${debian_prometheus%/*}"
      rm -rf "$debian_prometheus"
      mv unpacked "$debian_prometheus"
    )
    rm -rf "$download"
  fi
  PATH=$debian_prometheus/usr/bin:$PATH
fi
