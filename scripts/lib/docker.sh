# The Docker engine: installed where it is missing or too old, started where it does not run.

# Engines before this one do not know the capability CHECKPOINT_RESTORE in the packages of some distributions.
oldest_engine=23

engine_version() { docker version --format '{{.Server.Version}}' 2> /dev/null; }
is_recent() { [ "${1%%.*}" -ge "$oldest_engine" ] 2> /dev/null; }

ensure_docker() {
  local version
  version=$(engine_version) || version=
  if [ -z "$version" ]; then
    command -v dockerd > /dev/null && is_recent "$(dockerd --version | sed -n 's/^Docker version \([^,]*\),.*/\1/p')" || install_docker
    start_docker
    version=$(engine_version) || fail 'The Docker engine was started but does not answer; see /var/log/dockerd.log.'
  fi
  is_recent "$version" || fail "The Docker engine is version $version; $oldest_engine or newer is needed."
  say "Docker engine $version"
}

# Compose as a command of docker; the tests try the files that `deploy` writes with it.
ensure_compose() {
  docker compose version > /dev/null 2>&1 && return
  # Debian 12 itself has the first version, which is another program; start where the engine comes from.
  case "$(. /etc/os-release && echo "$ID")" in
    debian) install_package docker-compose/trixie ;;
    *) install_package docker-compose-v2 ;;
  esac
}

install_docker() {
  ensure_package iptables /usr/sbin/iptables
  as_root apt-get update > /dev/null
  local candidate
  candidate=$(apt-cache policy docker.io | sed -n 's/^ *Candidate: //p')
  if is_recent "$candidate"; then
    install_package docker.io
  else
    # Debian 12 has 20.10. The package of Debian 13 installs on it; pinned low, nothing else comes from there.
    as_root tee /etc/apt/sources.list.d/dotnet-snapshot-trixie.sources > /dev/null <<'SOURCES'
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
    as_root tee /etc/apt/preferences.d/dotnet-snapshot-trixie > /dev/null <<'PIN'
Package: *
Pin: release n=trixie
Pin-Priority: 50
PIN
    apt_updated=
    install_package docker.io/trixie
  fi
  command -v docker > /dev/null || install_package docker-cli
}

start_docker() {
  if [ -d /run/systemd/system ]; then
    quietly 'starting the Docker engine' as_root systemctl start docker
    return
  fi
  say 'starting the Docker engine'
  # A killed engine leaves its PID behind, and refuses to start while another process happens to have that number.
  local file
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    case "$(cat "/proc/$(cat "$file" 2> /dev/null || echo none)/comm" 2> /dev/null)" in
      dockerd | containerd) ;;
      *) as_root rm -f "$file" ;;
    esac
  done
  as_root setsid sh -c 'dockerd > /var/log/dockerd.log 2>&1 < /dev/null &'
  for _ in $(seq 60); do
    engine_version > /dev/null && return
    sleep 0.5
  done
}
