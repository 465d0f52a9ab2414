#!/bin/sh
# Builds criu from its released source: as one static program, which needs nothing of the image it lives in. It takes
# checkpoints and restores nothing. Beside it: the description of its image files, from the same source.
set -eu
prefix=/opt/dotnet-snapshot/build
version=4.2.1
sha256=29ec0ee09e296479fe7048c80980e8ef1d0684d0b0204c2b101dfea19f6725b9
sha1=943aa42a53e9678fee0c8cb85c544afa2d331229

# Debian's pool holds the current version only, its archive every one.
archive=$(mktemp)
for address in "http://deb.debian.org/debian/pool/main/c/criu/criu_$version.orig.tar.xz" "https://snapshot.debian.org/file/$sha1"; do
  wget --quiet --output-document="$archive" "$address" && echo "$sha256  $archive" | sha256sum --check --status && break
  rm -f "$archive"
done
[ -s "$archive" ] || { echo "the source of criu $version can't be fetched" >&2; exit 1; }

source=$(mktemp -d)
tar --extract --xz --strip-components=1 --directory="$source" --file="$archive"
# GMONLDOPT reaches the link of the program alone; LDFLAGS would reach the code that is injected, too.
make --directory="$source" --jobs="$(nproc)" criu NO_GNUTLS=1 GMONLDOPT=-static > "$source/log" 2>&1 || { tail -n 30 "$source/log" >&2; exit 1; }
mkdir -p "$prefix/licenses/criu"
strip --output-file="$prefix/criu" "$source/criu/criu"
# File capabilities: without them it could not be run as the app's user, who owns the process that is dumped.
setcap cap_checkpoint_restore,cap_sys_ptrace+ep "$prefix/criu"
protoc --proto_path="$source/images" --include_imports --descriptor_set_out="$prefix/images.desc" \
  core.proto fdinfo.proto file-lock.proto fs.proto ghost-file.proto inventory.proto memfd.proto mm.proto pagemap.proto \
  pipe-data.proto pstree.proto remap-file-path.proto sk-packet.proto

# The licence of each part travels with the binary.
cp "$source/COPYING" "$prefix/licenses/criu/"
for package in libbsd-dev libc6-dev libmd-dev libnet1-dev libnl-3-dev libprotobuf-c-dev libxxhash-dev uuid-dev; do
  cp "/usr/share/doc/$package/copyright" "$prefix/licenses/$package"
done
rm -rf "$source" "$archive"
