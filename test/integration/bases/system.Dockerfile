# A whole distribution, as users have it under .NET.
ARG BASE
FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS dotnet
FROM $BASE
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 libstdc++6
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
ENV ASPNETCORE_HTTP_PORTS=8080
