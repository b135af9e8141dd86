# shellcheck shell=bash
# Sourced: puts Debian's prometheus and promtool on the PATH. Expects `root`, the repository, and packages.bash.
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
  # shellcheck disable=SC2154
  debian_package prometheus "$root/target/deploy/metrics/debian"
  PATH=$root/target/deploy/metrics/debian/usr/bin:$PATH
fi
