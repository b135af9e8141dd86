# shellcheck shell=bash
# Sourced by the tests: Debian packages and Python environments.

# install_missing PROGRAM...: installs the Debian packages of programs that are missing. PROGRAM:PACKAGE where the names
# differ. `python3-venv` stands for the modules that `python3 -m venv` needs.
install_missing() {
  local program missing=()
  for program in "$@"; do
    if [ "$program" = python3-venv ]; then
      python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=("$program")
    else
      command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
    fi
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  {
    printf 'installing %s\n' "${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
  } >&2
}

# debian_package NAME FOLDER: unpacks a Debian package into the folder, without installing it, so that no service of it
# starts.
debian_package() {
  local name=$1 folder=$2 download
  [ ! -d "$folder" ] || return 0
  download=$(mktemp -d)
  (
    cd "$download" || exit
    apt-get download -qq "$name" 2>/dev/null || { apt-get update -qq && apt-get download -qq "$name"; }
    dpkg -x "$name"_*.deb unpacked
    mkdir -p "${folder%/*}"
    mv unpacked "$folder"
  )
  rm -rf "$download"
}

# venv FOLDER REQUIREMENTS [OPTION...]: a Python environment with the packages of a requirements file. It is rebuilt when
# the file changes.
venv() {
  local folder=$1 requirements=$2
  shift 2
  ! cmp -s "$requirements" "$folder/requirements.txt" || return 0
  rm -rf "$folder"
  python3 -m venv "$folder" >&2
  "$folder/bin/pip" install -q --disable-pip-version-check --requirement "$requirements" "$@" >&2
  cp "$requirements" "$folder/requirements.txt"
}
