# A static binary in an empty image: no shell, no packages, no root.
#
#   docker build -t incident .
#   export INCIDENT_TOKEN="$(openssl rand -hex 32)"
#   docker run --read-only --cap-drop ALL -e INCIDENT_TOKEN -p 127.0.0.1:7911:7911 -v incident:/data incident
#
# Without a token the server refuses to listen beyond loopback, in a container too; docs/security.md has the choices.

FROM rust:1-alpine AS build
RUN apk add --no-cache ca-certificates musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin incident
RUN mkdir /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/incident /incident
# Empty, so that a new volume belongs to the user below.
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 7911
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/incident", "health"]
ENTRYPOINT ["/incident"]
CMD ["serve", "--bind", "0.0.0.0", "--port", "7911", "--journal", "/data/journal.db"]
