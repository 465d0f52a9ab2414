# Shared by the scripts that a newcomer runs.

say() { printf '== %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
require_tool() { command -v "$1" > /dev/null || fail "$1 is missing. $2"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Runs a long command, with a sign of life every ten seconds and its output only when it fails.
quietly() {
  local what=$1 log start code=0
  shift
  log=$(mktemp)
  start=$SECONDS
  say "$what"
  "$@" > "$log" 2>&1 < /dev/null &
  local pid=$!
  while kill -0 "$pid" 2> /dev/null; do
    sleep 1
    if [ $(((SECONDS - start) % 10)) = 9 ]; then printf '   … %s s: %s\n' $((SECONDS - start)) "$(tail -n 1 "$log" | cut -c 1-90)"; fi
  done
  wait "$pid" || code=$?
  if [ "$code" != 0 ]; then
    cat "$log" >&2
    rm -f "$log"
    fail "$what: failed with exit code $code"
  fi
  rm -f "$log"
  printf '   done in %s s\n' $((SECONDS - start))
}

apt_updated=
install_package() {
  if [ -z "$apt_updated" ]; then
    quietly 'reading package lists' as_root apt-get update
    apt_updated=yes
  fi
  quietly "installing $*" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# ensure_package NAMES PATH: installs NAMES, separated by spaces, unless PATH is there.
ensure_package() {
  # shellcheck disable=SC2086 # Several names are several words.
  [ -e "$2" ] || install_package $1
}

ensure_npm_packages() {
  # npm writes this file last, so an interrupted install is repeated.
  if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    quietly 'installing npm packages' npm ci
    touch node_modules/.package-lock.json
  fi
}
