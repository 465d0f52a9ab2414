# Base images: pulled where a registry answers, else stand-ins of the same names, made from packages.

debian_image=debian:trixie-slim
aspnet_image=mcr.microsoft.com/dotnet/aspnet:10.0

ensure_images() {
  ensure_image "$debian_image" stand_in_for_debian
  ensure_image "$aspnet_image" stand_in_for_aspnet
}

# ensure_image NAME COMMAND…: has the command make NAME where it is neither here nor in a registry.
ensure_image() {
  local image=$1
  shift
  docker image inspect "$image" > /dev/null 2>&1 && return
  say "pulling $image"
  if timeout 300 docker pull --quiet "$image" 2> /dev/null; then return; fi
  say "no registry answers; making a stand-in for $image"
  "$@"
}

# Another distribution's minimal system, bootstrapped in a container of this one's, which has the keys of both.
# bootstrap NAME SUITE MIRROR; exit code 3 where the mirror does not answer.
bootstrap() {
  local folder
  node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(20_000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))' \
    "$3/dists/$2/Release" || { say "$3 does not answer"; exit 3; }
  ensure_image "$debian_image" stand_in_for_debian
  folder=$(mktemp -d)
  quietly "bootstrapping $2" docker run --rm --privileged --volume "$folder:/out" "$debian_image" sh -ec "
    apt-get update
    apt-get install -y --no-install-recommends debootstrap debian-archive-keyring ubuntu-archive-keyring
    debootstrap --variant=minbase $2 /base $3
    rm -rf /base/var/cache/apt/archives/*.deb /base/var/lib/apt/lists/*
    tar --directory /base --create --file /out/base.tar ."
  docker import --change 'LABEL dotnet-snapshot.stand-in=true' "$folder/base.tar" "$1" > /dev/null
  as_root rm -rf "$folder"
}

stand_in_for_debian() {
  ensure_package debootstrap /usr/sbin/debootstrap
  ensure_package debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
  local root
  root=$(mktemp -d)
  quietly 'bootstrapping Debian trixie' as_root debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg trixie "$root" http://deb.debian.org/debian
  as_root tar --directory "$root" --exclude './var/cache/apt/archives/*.deb' --exclude './var/lib/apt/lists/*' --create . |
    docker import --change 'LABEL dotnet-snapshot.stand-in=true' - "$debian_image" > /dev/null
  as_root rm -rf "$root"
}

# Debian instead of the original's Ubuntu, with the shared runtime of this machine's SDK; user, paths and variables are the original's.
stand_in_for_aspnet() {
  local root version context
  root=$(dirname "$(realpath "$(command -v dotnet)")")
  version=$(dotnet --list-runtimes | sed -n 's/^Microsoft.AspNetCore.App \(10\.[^ ]*\) .*/\1/p' | tail -n 1)
  [ -n "$version" ] || fail 'The .NET SDK has no ASP.NET Core 10 runtime to make the base image from.'
  context=$(mktemp -d)
  mkdir "$context/dotnet"
  cp -r "$root/dotnet" "$root/host" "$root/shared" "$context/dotnet/"
  cat > "$context/Dockerfile" <<DOCKERFILE
FROM $debian_image
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ca-certificates libicu76 libssl3t64 tzdata \\
 && rm -rf /var/lib/apt/lists/* \\
 && groupadd --gid 1654 app && useradd --uid 1654 --gid 1654 --create-home app
COPY dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true DOTNET_VERSION=$version
LABEL dotnet-snapshot.stand-in=true
DOCKERFILE
  local build_kit=0
  docker buildx version > /dev/null 2>&1 && build_kit=1
  quietly "building the stand-in for $aspnet_image" env DOCKER_BUILDKIT=$build_kit docker build --tag "$aspnet_image" "$context"
  rm -rf "$context"
}
