# Single files of a distribution: no shell, no tool, no package manager.
FROM debian:trixie-slim AS system
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3t64 libstdc++6 tzdata
RUN mkdir -p /bare/usr /chiseled/etc && cd /bare && ln -s usr/lib lib && ln -s usr/lib64 lib64 && cd /lib/$(uname -m)-linux-gnu \
 && realpath --no-symlinks libc.so.6 libdl.so.2 libgcc_s.so.1 libm.so.6 libpthread.so.0 librt.so.1 libstdc++.so.6 > /bare.list \
 && ls /lib/ld-linux-*.so.* /lib64/ld-linux-*.so.* 2> /dev/null >> /bare.list; \
    sed 's#^/lib#/usr/lib#' /bare.list | xargs cp --parents --dereference --target-directory=/bare \
 && realpath --no-symlinks libssl.so.3 libcrypto.so.3 libz.so.1 | sed 's#^/lib#/usr/lib#' | xargs cp --parents --dereference --target-directory=/chiseled \
 && cp --parents --recursive /etc/ssl/certs /usr/share/zoneinfo /chiseled \
 && echo 'app:x:1654:1654::/home/app:' > /chiseled/etc/passwd

# The C and C++ libraries, which a self-contained app is linked with, and nothing else: not even OpenSSL or /tmp.
FROM scratch AS bare
COPY --from=system /bare /
ENV ASPNETCORE_HTTP_PORTS=8080

# What chiseled and distroless images have.
FROM bare AS chiseled
COPY --from=system /chiseled /
